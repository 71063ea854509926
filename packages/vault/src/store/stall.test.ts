import { EventEmitter, once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { collect } from '../../test/support.ts';
import { failOnStall } from './stall.ts';

let server: Server;
let send: (response: import('node:http').ServerResponse) => void;
beforeAll(async () => {
  server = createServer((_request, response) => send(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function ask(): Promise<IncomingMessage> {
  const { port } = server.address() as AddressInfo;
  // As the SDK does: an error of the connection is also one of the request.
  return new Promise((resolve) => get({ host: '127.0.0.1', port }, resolve).on('error', () => undefined));
}

test('a store that falls silent fails the body', async () => {
  send = (response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write(Buffer.alloc(10));
  };
  const body = await ask();
  failOnStall(body, 60);
  await expect(collect(body)).rejects.toMatchObject({ code: 'store_unavailable', retryable: true });
});

/** Until the connection has been silent for this often; the clock of it starts over each time. */
const silences = (body: IncomingMessage, times: number) =>
  new Promise<void>((resolve) => {
    body.socket.on('timeout', () => {
      times -= 1;
      if (times === 0) resolve();
    });
  });

test('a listener who pauses does not', async () => {
  const bytes = Buffer.alloc(3_000_000);
  send = (response) => response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
  const body = await ask();
  await once(body, 'readable');
  failOnStall(body, 60);
  await silences(body, 3);
  expect(body.destroyed).toBe(false);
  body.destroy();
});

test('who goes on reading leaves the store a whole period to answer, and no more', () => {
  const socket = Object.assign(new EventEmitter(), { setTimeout: () => undefined });
  const body = Object.assign(new PassThrough(), { socket }).on('error', () => undefined);
  failOnStall(body, 60);
  body.write('x');
  socket.emit('timeout');
  body.read();
  socket.emit('timeout');
  expect(body.destroyed).toBe(false);
  socket.emit('timeout');
  expect(body.errored).toMatchObject({ code: 'store_unavailable' });
});
