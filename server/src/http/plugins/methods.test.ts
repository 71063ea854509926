import { CustodyError } from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import { type Ask, emptyApp, serve } from '../../playback/testing/kit.ts';
import { cors } from './cors.ts';
import { refuseOtherMethods } from './methods.ts';

const origin = 'https://flex.twilio.com';
let app: FastifyInstance;
let ask: Ask;

beforeAll(async () => {
  app = emptyApp();
  await app.register(async (scope) => {
    await scope.register(cors, { origins: [origin] });
    refuseOtherMethods(scope, { preflight: true });
    scope.route({ method: ['GET', 'HEAD'], url: '/media/:file', handler: async () => 'ok' });
  });
  await app.register(async (scope) => {
    refuseOtherMethods(scope);
    scope.addHook('preValidation', async () => {
      throw new CustodyError('signature_invalid', 'no');
    });
    scope.post('/signed', async () => 'ok');
  });
  ({ ask } = await serve(app));
});
afterAll(() => app.close());

test.each([
  ['POST', '/media/a.wav', 'GET, HEAD, OPTIONS'],
  ['DELETE', '/media/a.wav?token=x', 'GET, HEAD, OPTIONS'],
  ['GET', '/signed', 'POST'],
  ['HEAD', '/signed', 'POST'],
  ['OPTIONS', '/signed', 'POST'],
])('%s %s is told which methods there are', async (method, path, allow) => {
  const { status, headers, json } = await ask(path, { origin }, method);
  expect([status, headers['allow']]).toEqual([405, allow]);
  if (method !== 'HEAD') expect(json).toEqual({ error: 'method_not_allowed' });
});

test('the route’s own methods, its preflight and unknown paths are as ever', async () => {
  expect((await ask('/media/a.wav')).status).toBe(200);
  expect((await ask('/media/a.wav', { origin }, 'OPTIONS')).headers['access-control-allow-methods']).toBe(
    'GET, HEAD',
  );
  expect((await ask('/signed', {}, 'POST')).status).toBe(401);
  expect((await ask('/nowhere', {}, 'POST')).status).toBe(404);
});
