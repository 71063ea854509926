import fastify, { type FastifyInstance } from 'fastify';
import { answerError } from './errors.ts';
import { requireKnownHost } from './host-names.ts';

let app: FastifyInstance;
beforeAll(() => {
  app = fastify();
  app.setErrorHandler(answerError);
  requireKnownHost(app, ['Custody.internal', '127.0.0.1']);
  app.get('/', async () => 'ok');
});
afterAll(() => app.close());

test.each([
  ['127.0.0.1:4190', 200],
  ['localhost', 200],
  ['LOCALHOST:4190', 200],
  ['[::1]:4190', 200],
  ['10.2.3.4', 200],
  ['custody.internal:4190', 200],
  ['CUSTODY.internal', 200],
  ['evil.example', 421],
  ['evil.example:4190', 421],
  ['localhost.evil.example', 421],
  ['127.0.0.1.evil.example', 421],
  ['127.0.0.1@evil.example', 421],
  ['evil', 421],
])('asked as %s: %i', async (host, status) => {
  const answer = await app.inject({ url: '/', headers: { host } });
  expect(answer.statusCode).toBe(status);
  if (status === 421) expect(answer.json()).toEqual({ error: 'host_unknown' });
});
