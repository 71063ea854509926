import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { Readable } from 'node:stream';
import { CustodyError } from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import { createLog } from '../log.ts';
import { buildApp } from './app.ts';

let app: FastifyInstance;
let lines: Record<string, unknown>[];
let played: number;
let text: string;

beforeEach(() => {
  lines = [];
  text = '';
  played = 0;
  const log = createLog('info', {
    write(line) {
      text += line;
      lines.push(JSON.parse(line));
    },
  });
  const metrics = {
    answered: () => undefined,
    played: (bytes: number) => {
      played += bytes;
    },
  };
  const routes = async (scope: FastifyInstance) => {
    scope.get('/ours', async () => {
      throw new CustodyError('play_forbidden', 'because of the policy of Mr X');
    });
    scope.get('/ours-away', async () => {
      throw new CustodyError('store_unavailable', 'bucket b in region r', { cause: new Error('EPIPE') });
    });
    scope.get('/theirs', async () => {
      throw new Error('password is hunter2');
    });
    scope.get('/odd', async () => {
      throw Object.assign(new Error('odd'), { statusCode: 200 });
    });
    scope.get('/size', async (request) => ({ size: (request.headers.authorization ?? '').length }));
    scope.post('/echo', async (request) => ({ body: request.body }));
    scope.get('/media/:file', async (_request, reply) => reply.send(Readable.from([Buffer.alloc(10_000)])));
  };
  app = buildApp({ log, metrics, routes: [routes] });
});
afterEach(() => app.close());

/** On a socket: a request that is only injected meets neither the limits nor the parser of a real one. */
const ask = async (path: string, init: RequestInit = {}) => {
  const { port } = app.server.listening ? (app.server.address() as AddressInfo) : { port: 0 };
  const url = port ? `http://127.0.0.1:${port}` : await app.listen({ host: '127.0.0.1', port: 0 });
  const reply = await fetch(url + path, init);
  const body = await reply.text();
  return {
    status: reply.status,
    body: body.startsWith('{') ? JSON.parse(body) : body,
    headers: reply.headers,
  };
};

test('our errors answer with their status and code, and without their message', async () => {
  expect(await ask('/ours')).toMatchObject({ status: 403, body: { error: 'play_forbidden' } });
  expect(lines.find((line) => line['level'] === 'error')).toBeUndefined();
});

test('a 5xx tells the client nothing of its cause and the log everything', async () => {
  const reply = await ask('/ours-away');
  expect(reply).toMatchObject({ status: 503, body: { error: 'store_unavailable' } });
  expect(reply.headers.get('retry-after')).toBe('5');
  expect(lines.find((line) => line['level'] === 'error')).toMatchObject({
    err: { code: 'store_unavailable', message: 'bucket b in region r', cause: { message: 'EPIPE' } },
    route: '/ours-away',
  });
});

test('what is not ours is an internal error, whatever status it carries', async () => {
  expect(await ask('/theirs')).toMatchObject({ status: 500, body: { error: 'internal' } });
  expect(await ask('/odd')).toMatchObject({ status: 500, body: { error: 'internal' } });
});

test('what is not there is not found, HEAD of a GET route included', async () => {
  expect(await ask('/nowhere?token=hush')).toMatchObject({ status: 404, body: { error: 'not_found' } });
  expect((await ask('/size', { method: 'HEAD' })).status).toBe(404);
});

test("Fastify's own refusals are in our words", async () => {
  const post = async (body: string, type: string) => {
    const reply = await ask('/echo', { method: 'POST', body, headers: { 'content-type': type } });
    return [reply.status, reply.body];
  };
  expect(await post(`"${'x'.repeat(257 * 1024)}"`, 'application/json')).toEqual([
    413,
    { error: 'body_too_large' },
  ]);
  expect(await post('x', 'application/octet-stream')).toEqual([415, { error: 'media_type_unsupported' }]);
  expect(await post('{', 'application/json')).toEqual([400, { error: 'request_invalid' }]);
  expect(await ask('/%c0')).toMatchObject({ status: 400, body: { error: 'url_invalid' } });
});

test('the request log has the route and neither the URL nor its query', async () => {
  await ask('/media/RE1.wav?token=hush');
  await ask('/ours?token=hush');
  await new Promise((resolve) => setImmediate(resolve));
  const requests = lines.filter((line) => line['msg'] === 'request');
  expect(requests).toMatchObject([
    { route: '/media/:file', status: 200, method: 'GET' },
    { route: '/ours', status: 403, code: 'play_forbidden' },
  ]);
  expect(text).not.toContain('hush');
});

test('a header of 64 KiB arrives; one beyond the limit is refused', async () => {
  const size = (bytes: number) => ask('/size', { headers: { authorization: 'x'.repeat(bytes) } });
  expect((await size(64 * 1024)).body).toEqual({ size: 64 * 1024 });
  expect((await size(73 * 1024)).status).toBe(431);
});

test('what was played is counted in bytes that went out', async () => {
  await ask('/media/RE1.wav');
  await ask('/size');
  expect(played).toBeGreaterThanOrEqual(10_000);
  expect(played).toBeLessThan(11_000);
});

test('closing does not wait for idle connections', async () => {
  await app.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET /size HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(socket, 'data');
  const began = Date.now();
  await app.close();
  // Kept alive they would be for 72 s.
  expect(Date.now() - began).toBeLessThan(30_000);
  socket.destroy();
});
