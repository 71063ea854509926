import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { WebSocketServer } from 'ws';
import { Refused } from '../refused.ts';
import { createBundle, type DesktopFiles } from './bundle.ts';
import { createEventBridge } from './event-bridge.ts';
import { configuration, type DesktopSettings, refusedToken, tokenInfo } from './flex-api.ts';
import { type DesktopDeps, jsonOf, type SocketEnd } from './hub.ts';
import { createSeats, type Seat, type Seats } from './session.ts';
import { createSync } from './sync.ts';
import { createVoice } from './voice.ts';

export interface DesktopOptions extends Omit<DesktopDeps, 'seats'> {
  files: DesktopFiles;
  settings: DesktopSettings;
  /** The folder with the page's files. */
  assets: string;
}

export interface Desktop {
  seats: Seats;
  settings: DesktopSettings;
  /** A new token in the place of the worker's; its open browsers fetch it by themselves. */
  renewToken(workerSid: string): Promise<Seat>;
}

const types: Record<string, string> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
};
const own = ['network.js', 'media.js', 'start.js', 'flex.css'] as const;
const renewMs = 20_000;
const standing = {
  waiting: 'not yet',
  running: '<b>under way</b>',
  done: 'done',
  failed: '<b>has failed</b>',
};
const patienceMs = 300;

/** `GET /flex` and everything that the real Flex UI asks Twilio for, below `/twilio/<host>/`. */
export function desktopRoutes(app: FastifyInstance, options: DesktopOptions): Desktop {
  const { world, events, exchange, settings, assets } = options;
  const seats = createSeats(world);
  const deps: DesktopDeps = { world, events, exchange, seats };
  const bundle = createBundle(options.files);
  const bridge = createEventBridge(deps);
  const voice = createVoice(deps);
  const sync = createSync(deps);
  const watchers = new Map<ServerResponse, string>();

  const send = (reply: FastifyReply, name: string, body: string | Buffer) =>
    reply
      .headers({ 'cache-control': 'no-cache', 'referrer-policy': 'no-referrer' })
      .type(types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream')
      .send(body);

  const showDesktop = async (reply: FastifyReply) => {
    // Where nothing has to be built, a person sees no page that says so.
    if (!bundle.ready()) await Promise.race([bundle.whenReady(), sleep(patienceMs)]);
    if (bundle.ready()) {
      reply.header('content-security-policy', policy);
      return send(reply, 'flex.html', await readFile(join(assets, 'flex.html')));
    }
    const page = await readFile(join(assets, 'building.html'), 'utf8');
    const steps = bundle.steps().map(({ what, state, said }) => {
      const small = state !== 'done' && said ? `<small>${escaped(said)}</small>` : '';
      return `<li>${escaped(what)}: ${standing[state]}${small}</li>`;
    });
    return send(
      reply,
      'building.html',
      page.replace('{{steps}}', () => steps.join('')),
    );
  };
  app.get('/flex', async (_request, reply) => showDesktop(reply));
  // Flex and its plugins move through addresses of their own (/agent-desktop/WR…, /teams), at which a page may be reloaded.
  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    const isView = request.method === 'GET' && /^\/(?!flex|page|sandbox|twilio|elsewhere)[\w/-]+$/.test(path);
    if (isView && request.headers.accept?.includes('text/html')) return showDesktop(reply);
    return reply.code(404).send({ error: `there is no ${request.method} ${path} here` });
  });
  for (const name of own)
    app.get(`/flex/assets/${name}`, async (_request, reply) =>
      send(reply, name, await readFile(join(assets, name))),
    );
  app.get('/flex/assets/flex-ui.js', async (_request, reply) =>
    send(reply, 'flex-ui.js', await readFile(bundle.flexUi())),
  );
  app.get<{ Params: { name: string } }>('/flex/plugins/:name', async (request, reply) => {
    const found = bundle.plugins().find(({ name }) => `${name}.js` === request.params.name);
    if (!found) throw new Refused('there is no such plugin here', 404);
    return send(reply, 'plugin.js', await readFile(found.file));
  });
  const pluginList = (origin: string) =>
    bundle.plugins().map(({ name }) => ({
      name,
      src: `${origin}/flex/plugins/${name}.js`,
      phase: 3,
      version: '0.1.0',
      uuid: name,
    }));

  app.post<{ Querystring: { worker?: string; roles?: string } }>('/flex/login', async (request) => {
    const { worker, roles } = request.query;
    const seat = seats.take(worker, roles?.split(',').filter(Boolean));
    return { session: tokenInfo(world, seat), plugins: pluginList(`http://${request.headers.host}`) };
  });
  app.get<{ Querystring: { worker?: string } }>('/flex/events', (request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    reply.raw.write(': watching\n\n');
    watchers.set(reply.raw, request.query.worker ?? '');
    reply.raw.once('close', () => watchers.delete(reply.raw));
  });

  /** Flex UI's requests, whatever their content type. */
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    scope.all<{ Params: { host: string; '*': string } }>('/twilio/:host/*', async (request, reply) => {
      const { host, '*': path } = request.params;
      const body = jsonOf(String(request.body ?? '')) ?? {};
      const tokenGiven = bearer(request.headers.authorization) ?? text(body['token']) ?? text(body['Token']);
      return answer(`${host}/${path}`, request.method, body, tokenGiven, request, reply);
    });
    scope.all('/elsewhere/*', async (request, reply) => {
      const still = quiet(request.url.split('?')[0] ?? '', reply);
      return still ?? reply.send(request.url.includes('countries.json') ? [] : {});
    });
  });

  const answer = (
    where: string,
    method: string,
    body: Record<string, unknown>,
    token: string | undefined,
    request: { headers: { host?: string | undefined } },
    reply: FastifyReply,
  ): unknown => {
    if (/^event-bridge[^/]*\/v1\/wschannels/.test(where)) return tunnelled(body, token, reply);
    if (/Tokens\/refresh$/i.test(where)) {
      const seat = seats.byToken(token);
      if (!seat) return reply.code(401).send(refusedToken);
      seats.refresh(seat);
      return tokenInfo(world, seat);
    }
    if (/Tokens\/(validate|Info)$/i.test(where)) {
      const seat = seats.byToken(token);
      return seat ? tokenInfo(world, seat) : reply.code(401).send(refusedToken);
    }
    if (/^flex-api[^/]*\/v1\/Configuration/.test(where)) return configuration(world, settings);
    if (/^flex\.twilio\.com\/plugins/.test(where)) return pluginList(`http://${request.headers.host}`);
    if (/api\/v1\/Session/.test(where))
      return { features, Features: features, insightsActive: false, insights_active: false };
    if (/Features/.test(where)) return { features, enabled: false };
    if (/summary\.json$/.test(where)) return { components: [], incidents: [], status: { indicator: 'none' } };
    if (/(countries|flagPositions)[^/]*$/.test(where)) return [];
    const still = quiet(where, reply);
    if (still) return still;
    // Telemetry is accepted and ignored.
    if (/^eventgw/.test(where)) return {};
    events.emit('desktop.asked', { method, where });
    return {};
  };

  const tunnelled = (body: Record<string, unknown>, token: string | undefined, reply: FastifyReply) => {
    const url = text(body['url']) ?? '';
    const seat = seats.byToken(token) ?? seats.of(/Workers\/(WK[0-9a-f]{32})/.exec(url)?.[1] ?? '');
    if (!seat) return reply.code(401).send({ code: 20101, message: 'Token is not valid' });
    try {
      const params = (body['params'] ?? {}) as Record<string, unknown>;
      return bridge.request(seat, { url, method: text(body['method']) ?? 'GET', params });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      events.emit('taskrouter.refused', { worker: seat.worker.sid, reason: error.message });
      return reply.code(error.status).send({ code: 20001, message: error.message, status: error.status });
    }
  };

  const ends: readonly [RegExp, SocketEnd][] = [
    [/^\/twilio\/event-bridge/, bridge.socket],
    [/^\/twilio\/voice-js/, voice.socket],
    [/^\/twilio\/tsock/, sync.socket],
  ];
  const sockets = new WebSocketServer({ noServer: true });
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const url = new URL(request.url ?? '/', 'http://x');
    const end = ends.find(([path]) => path.test(url.pathname))?.[1];
    if (!end) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) => {
      opened.on('error', () => opened.terminate());
      end(opened, request, url);
    });
  };
  app.server.on('upgrade', upgrade);
  app.addHook('preClose', async () => {
    for (const watcher of watchers.keys()) watcher.destroy();
    for (const end of [bridge, voice, sync]) end.close();
    for (const socket of sockets.clients) socket.terminate();
    bundle.close();
  });

  return {
    seats,
    settings,
    async renewToken(workerSid) {
      const seat = seats.take(workerSid, undefined);
      const before = seat.token;
      seat.due = true;
      const open = [...watchers].filter(([, worker]) => worker === workerSid);
      for (const [watcher] of open) watcher.write('event: token\ndata: {}\n\n');
      const until = Date.now() + (open.length > 0 ? renewMs : 0);
      while (seat.token === before && Date.now() < until) await sleep(50);
      if (seat.token !== before) return seat;
      // Refusing the old one under a desktop that holds on to it would throw its agent out.
      if (open.length > 0) throw new Refused('the open desktop has not fetched a new token', 504);
      seats.renew(seat);
      return seat;
    },
  };
}

/** What an account's owner may switch on in Flex's console, and what most have on. */
const features = [
  { id: 'flex-warm-transfers', name: 'Warm transfers', description: '', stage: 'public', enabled: true },
];

/** A ringtone without a sound, and a font that is not there. */
function quiet(path: string, reply: FastifyReply): FastifyReply | undefined {
  if (/\.(mp3|wav|ogg)$/.test(path)) return reply.type('audio/wav').send(silentWav);
  return path.endsWith('.css') ? reply.type('text/css').send('') : undefined;
}

const silentWav = (() => {
  const samples = Buffer.alloc(1600);
  const head = Buffer.from(
    '524946466406000057415645666d74201000000001000100401f0000803e00000200100064617461',
    'hex',
  );
  const size = Buffer.alloc(4);
  size.writeUInt32LE(samples.length);
  return Buffer.concat([head, size, samples]);
})();

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

/** `Basic base64("token:" + token)`, as Flex sends it, or Bearer. */
function bearer(header: string | undefined): string | undefined {
  const [scheme, value = ''] = (header ?? '').split(' ');
  if (scheme?.toLowerCase() === 'bearer') return value;
  if (scheme?.toLowerCase() !== 'basic') return undefined;
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  return decoded.startsWith('token:') ? decoded.slice('token:'.length) : undefined;
}

const escaped = (given: string) => given.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** Nothing but this machine, whatever a plugin tries. */
const policy = [
  "default-src 'self' data: blob:",
  "script-src 'self' http://127.0.0.1:* http://localhost:* 'unsafe-inline' 'unsafe-eval' blob:",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self' http://127.0.0.1:* http://localhost:* ws://127.0.0.1:* ws://localhost:* data: blob:",
  "media-src 'self' http://127.0.0.1:* http://localhost:* data: blob:",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
].join('; ');
