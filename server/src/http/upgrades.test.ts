import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { until } from '../../../test/support/until.ts';
import { createLog } from '../log.ts';
import type { Upgrade } from '../room.ts';
import { buildApp } from './app.ts';

let app: FastifyInstance;
let clients: Socket[];
let lines: string;

beforeEach(() => {
  clients = [];
  lines = '';
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  await app.close();
});

async function listen(upgrades: readonly Upgrade[], upgradeCloseMs = 60_000): Promise<void> {
  const log = createLog('info', {
    write(line) {
      lines += line;
    },
  });
  app = buildApp({
    log,
    routes: [async (scope) => void scope.get('/ordinary', async () => ({ ordinary: true }))],
    upgrades,
    upgradeCloseMs,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
}

/** A client that asks for a WebSocket, with what it got so far. */
async function ask(path: string, more = '') {
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  clients.push(socket);
  const got = { text: '', closed: false };
  socket.on('data', (bytes) => {
    got.text += bytes.toString();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    got.closed = true;
  });
  await once(socket, 'connect');
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n${more}`,
  );
  return { socket, got };
}

/** Answers 101 and then says everything back. */
function echo(change: Partial<Upgrade> = {}) {
  const opened: { request: IncomingMessage; socket: Duplex; head: string }[] = [];
  const upgrade: Upgrade = {
    path: '/live',
    handle(request, socket, head) {
      opened.push({ request, socket, head: head.toString() });
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.on('data', (bytes: Buffer) => socket.write(bytes));
    },
    close: async () => {
      for (const { socket } of opened) socket.end('bye');
    },
    ...change,
  };
  return { upgrade, opened };
}

test('a connection is handed to the upgrade of its path, whatever its query', async () => {
  const { upgrade, opened } = echo();
  await listen([upgrade]);
  const { socket, got } = await ask('/live?a=1', 'first');
  await until(() => got.text.includes('101 Switching Protocols'));
  expect(opened).toMatchObject([{ request: { url: '/live?a=1' }, head: 'first' }]);
  socket.write('hello');
  await until(() => got.text.endsWith('hello'));
});

test('another path is not found, and its socket is closed; ordinary requests are answered beside it', async () => {
  await listen([echo().upgrade]);
  for (const path of ['/nowhere', '/ordinary', '/live/', '/']) {
    const { got } = await ask(path, 'x'.repeat(100_000));
    await until(() => got.closed);
    expect(got.text).toBe('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  }
  expect((await app.inject('/ordinary')).json()).toEqual({ ordinary: true });
});

test('where nothing is to be upgraded, a request that asks for it is answered as it is without', async () => {
  await listen([]);
  const { got } = await ask('/ordinary');
  await until(() => got.text.endsWith('{"ordinary":true}'));
  expect(got.text).toMatch(/^HTTP\/1\.1 200 /);
});

test.each([
  [
    'at once',
    () => {
      throw new Error('broken');
    },
  ],
  [
    'later',
    async () => {
      throw new Error('broken');
    },
  ],
])('an upgrade that fails %s costs its own connection alone', async (_, handle) => {
  await listen([echo({ handle }).upgrade, echo({ path: '/other' }).upgrade]);
  const { got } = await ask('/live?token=hush');
  await until(() => got.closed);
  expect(got.text).toBe('');
  expect(lines).toContain('an upgrade failed');
  expect(lines).not.toContain('hush');
  const other = await ask('/other');
  await until(() => other.got.text.includes('101'));
});

test('a client that resets its connection costs nothing', async () => {
  const { upgrade, opened } = echo();
  await listen([upgrade]);
  const { socket, got } = await ask('/live');
  await until(() => got.text.includes('101'));
  socket.resetAndDestroy();
  await until(() => opened[0]?.socket.destroyed === true);
  expect((await app.inject('/ordinary')).statusCode).toBe(200);
});

test('closing lets an upgrade end its connections; what comes meanwhile is refused', async () => {
  let goOn = () => {};
  const mayEnd = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const { upgrade, opened } = echo();
  const signals: AbortSignal[] = [];
  const close = async (signal: AbortSignal) => {
    signals.push(signal);
    await mayEnd;
    await upgrade.close(signal);
  };
  await listen([{ ...upgrade, close }]);
  const { got } = await ask('/live');
  await until(() => opened.length === 1);
  const closing = app.close();
  await until(() => signals.length === 1);
  const late = await ask('/live');
  await until(() => late.got.closed);
  expect(late.got.text).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
  expect([got.closed, opened.length]).toEqual([false, 1]);
  goOn();
  await closing;
  await until(() => got.closed);
  expect(got.text).toMatch(/bye$/);
  expect(signals[0]?.aborted).toBe(false);
});

test.each<[string, Upgrade['close']]>([
  ['never ends', () => new Promise(() => undefined)],
  ['fails', () => Promise.reject(new Error('broken'))],
  ['leaves its connections open', async () => undefined],
])('an upgrade whose closing %s does not hold up the end', async (_, close) => {
  const { upgrade, opened } = echo({ close });
  await listen([upgrade], 50);
  const { got } = await ask('/live');
  await until(() => opened.length === 1);
  await app.close();
  await until(() => got.closed);
  expect(opened[0]?.socket.destroyed).toBe(true);
});
