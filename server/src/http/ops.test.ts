import { CustodyError } from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import { createLog } from '../log.ts';
import { buildOps, type OpsDeps } from './ops.ts';

let app: FastifyInstance;
afterEach(() => app.close());

const ask = async (url: string, checks: OpsDeps['checks'] = {}) => {
  const metrics = { contentType: 'text/plain; version=0.0.4', read: async () => 'custody_alarms 0\n' };
  app = buildOps({ log: createLog('silent'), metrics, checks, limitMs: 50 });
  const base = await app.listen({ host: '127.0.0.1', port: 0 });
  const reply = await fetch(base + url);
  const body = await reply.text();
  return {
    status: reply.status,
    body: body.startsWith('{') ? JSON.parse(body) : body,
    headers: reply.headers,
  };
};

test('alive is answered whatever else fails', async () => {
  const reply = await ask('/healthz', { database: () => Promise.reject(new Error('away')) });
  expect([reply.status, reply.body]).toEqual([200, { ok: true }]);
});

test('ready needs every check, in its time', async () => {
  const checks = {
    database: async () => undefined,
    store: () => Promise.reject(new CustodyError('store_denied', 'with the bucket and key')),
    slow: () => new Promise(() => undefined),
  };
  const reply = await ask('/readyz', checks);
  expect(reply.status).toBe(503);
  expect(reply.body).toEqual({
    ok: false,
    checks: { database: 'ok', store: 'store_denied', slow: 'timeout' },
  });
});

test('ready when all is well', async () => {
  const reply = await ask('/readyz', { database: async () => undefined });
  expect([reply.status, reply.body]).toEqual([200, { ok: true, checks: { database: 'ok' } }]);
});

test('nothing else is there', async () => {
  expect(await ask('/')).toMatchObject({ status: 404, body: { error: 'not_found' } });
});

test('metrics in their own type', async () => {
  const reply = await ask('/metrics');
  expect(reply.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  expect(reply.body).toContain('custody_alarms 0');
});
