import { readdirSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deployedAs, headersTooLarge, passedHeaders, platformLimits, type Visibility } from './limits.ts';
import { signAgain, signedByTwilio } from './signature.ts';

export interface GuardOptions {
  /** 0 = a free one. */
  port: number;
  /** Where twilio-run listens on 127.0.0.1. */
  upstreamPort: number;
  /** The Functions' production base URL, without a trailing slash: what Twilio signs. */
  baseUrl: string;
  authToken: string;
  /** Folders as they are deployed: each file's name gives its URL and who may call it. */
  functionsFolder: string;
  assetsFolder: string;
  /** Ms a Function may run; the platform's 10 s where absent. */
  runMs?: number;
}

export interface Guard {
  url: string;
  port: number;
  close(): Promise<void>;
}

/**
 * Double of Twilio's gateway. twilio-run serves `.private` Functions and checks no signature, no header's size and
 * no time limit; a request through this guard gets what the platform would answer.
 */
export async function startGuard(options: GuardOptions): Promise<Guard> {
  const routes = routesOf(options.functionsFolder, options.assetsFolder);
  const server = createServer({ maxHeaderSize: 64 * 1024 }, (incoming, outgoing) => {
    void answer(incoming, outgoing, options, routes).catch(() => outgoing.destroy());
  });
  server.maxHeadersCount = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function routesOf(functionsFolder: string, assetsFolder: string): Map<string, Visibility> {
  const routes = new Map<string, Visibility>();
  for (const [folder, kind] of [
    [functionsFolder, 'function'],
    [assetsFolder, 'asset'],
  ] as const) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || (kind === 'function' && !entry.name.endsWith('.js'))) continue;
      const name = `${entry.parentPath.slice(folder.length)}/${entry.name}`
        .replaceAll('\\', '/')
        .replace(/^\/+/, '');
      const { path, visibility } = deployedAs(name, kind);
      routes.set(path, visibility);
    }
  }
  return routes;
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: GuardOptions,
  routes: ReadonlyMap<string, Visibility>,
): Promise<void> {
  const url = incoming.url ?? '/';
  const visibility = routes.get(url.split('?')[0] ?? '/');
  if (headersTooLarge(incoming.rawHeaders)) return refuse(outgoing, 431, 82008);
  if (!['GET', 'POST', 'OPTIONS'].includes(incoming.method ?? '')) return refuse(outgoing, 405, 20004);
  if (visibility === undefined || visibility === 'private') return refuse(outgoing, 404, 20404);
  if (incoming.method === 'OPTIONS') return preflight(outgoing);
  const body = await bodyOf(incoming);
  if (body === undefined) return refuse(outgoing, 413, 20413);
  const signature = incoming.headers['x-twilio-signature'];
  // The settings name the address by which a browser reaches the Functions here; on the platform it is the same one.
  const local = `http://127.0.0.1:${incoming.socket.localPort}`;
  const request = { url, contentType: incoming.headers['content-type'], body: body.toString('utf8') };
  const signed = (address: string) =>
    signedByTwilio(options.authToken, address, {
      ...request,
      signature: Array.isArray(signature) ? signature[0] : signature,
    });
  const asProduction = signed(options.baseUrl);
  const asLocal = !asProduction && signed(local);
  if (visibility === 'protected' && !asProduction && !asLocal) return refuse(outgoing, 400, 20400);
  // A Function that looks for itself knows the production address alone.
  const another = asLocal ? signAgain(options.authToken, options.baseUrl, request) : undefined;
  await forward(incoming, outgoing, body, options, another);
}

function preflight(outgoing: ServerResponse): void {
  outgoing.writeHead(204, {
    'access-control-allow-origin': '*',
    'access-control-allow-headers': '*',
    'access-control-allow-methods': 'GET, POST, OPTIONS',
  });
  outgoing.end();
}

/** Undefined where it is larger than the platform takes. */
async function bodyOf(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > platformLimits.bodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  body: Buffer,
  options: GuardOptions,
  signature: string | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    const headers = passedHeaders(incoming.rawHeaders).filter(
      ([name]) =>
        name !== 'host' &&
        name !== 'content-length' &&
        (signature === undefined || name !== 'x-twilio-signature'),
    );
    if (signature !== undefined) headers.push(['x-twilio-signature', signature]);
    const upstream = request({
      host: '127.0.0.1',
      port: options.upstreamPort,
      method: incoming.method,
      path: incoming.url,
      headers: [
        ...headers,
        ['host', new URL(options.baseUrl).host],
        ['content-length', `${body.length}`],
      ].flat(),
      agent: false,
    });
    // The platform's clock runs whether or not the Function still writes; twilio-run's would never strike.
    const clock = setTimeout(() => {
      refuse(outgoing, 504, 82002);
      upstream.destroy();
    }, options.runMs ?? platformLimits.runMs);
    const done = () => {
      clearTimeout(clock);
      resolve();
    };
    outgoing.once('close', () => {
      upstream.destroy();
      done();
    });
    upstream.once('error', () => refuse(outgoing, 502, 82003));
    upstream.once('response', (response) => {
      if (outgoing.headersSent) return;
      outgoing.writeHead(response.statusCode ?? 502, passedHeaders(response.rawHeaders).flat());
      response.pipe(outgoing);
    });
    upstream.end(body);
  });
}

function refuse(outgoing: ServerResponse, status: number, code: number): void {
  if (outgoing.headersSent || outgoing.destroyed) return void outgoing.destroy();
  // The rest of a refused body is not worth reading.
  outgoing.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  outgoing.end(JSON.stringify({ code, status }));
}
