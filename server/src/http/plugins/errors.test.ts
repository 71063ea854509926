import { CustodyError, type ErrorCode } from '@flex-custody/core';
import fastify, { type FastifyInstance } from 'fastify';
import { answerError } from './errors.ts';

let app: FastifyInstance;
let logged: unknown;
let thrown: Error;
beforeAll(() => {
  app = fastify();
  app.setErrorHandler(answerError);
  app.addHook('onResponse', async (request) => {
    logged = request.errorCode;
  });
  app.get('/', async () => {
    throw thrown;
  });
  app.get('/basic', async (_request, reply) => {
    reply.header('WWW-Authenticate', 'Basic');
    throw thrown;
  });
});
afterAll(() => app.close());

test.each<[ErrorCode, number, string]>([
  ['store_unavailable', 503, 'store_unavailable'],
  ['audit_unavailable', 503, 'audit_unavailable'],
  ['store_denied', 503, 'internal'],
  ['envelope_tampered', 500, 'internal'],
  ['key_missing', 500, 'internal'],
  ['play_forbidden', 403, 'play_forbidden'],
])('%s %i is told as %s, and logged as it is', async (code, status, told) => {
  thrown = new CustodyError(code, 'bucket b, key k');
  const reply = await app.inject('/');
  expect([reply.statusCode, reply.json()]).toEqual([status, { error: told }]);
  expect(logged).toBe(code);
});

test('a 401 names a scheme, the route’s own where it has one', async () => {
  thrown = new CustodyError('link_missing', 'no token');
  expect((await app.inject('/')).headers['www-authenticate']).toBe('Bearer realm="flex-custody"');
  expect((await app.inject('/basic')).headers['www-authenticate']).toBe('Basic');
  thrown = new CustodyError('link_invalid', 'no');
  expect((await app.inject('/')).headers['www-authenticate']).toBeUndefined();
});
