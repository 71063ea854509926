import type { FastifyInstance } from 'fastify';
import { emptyApp, serve } from '../../playback/testing/kit.ts';
import { cors } from './cors.ts';

const flex = 'https://flex.twilio.com';

const asks = { 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' };
let app: FastifyInstance;
afterEach(() => app.close());

async function server() {
  app = emptyApp();
  app.post('/elsewhere', async () => 'ok');
  await app.register(async (scope) => {
    await scope.register(cors, { origins: [flex, 'https://flex.example.com:8443'] });
    scope.get('/ask', { exposeHeadRoute: false }, async () => 'ok');
    scope.get('/fails', { exposeHeadRoute: false }, async () => {
      throw new Error('no');
    });
    scope.route({ method: ['GET', 'HEAD'], url: '/media/:file', handler: async () => 'ok' });
  });
  const { ask } = await serve(app);
  const preflight = (url: string, origin?: string) =>
    ask(url, { ...asks, ...(origin && { origin }) }, 'OPTIONS');
  return { ask, preflight };
}

test('a preflight from Flex is answered without a token, with the route’s own methods', async () => {
  const { preflight } = await server();
  const reply = await preflight('/ask?recording=RE1', flex);
  expect(reply.status).toBe(204);
  expect(reply.body).toHaveLength(0);
  expect(reply.headers).toMatchObject({
    'access-control-allow-origin': flex,
    'access-control-allow-methods': 'GET',
    'access-control-allow-headers': expect.stringContaining('Authorization'),
    'access-control-max-age': '600',
    vary: 'Origin',
  });
  const media = await preflight('/media/x.wav', 'https://flex.example.com:8443');
  expect(media.headers['access-control-allow-methods']).toBe('GET, HEAD');
});

test.each([
  undefined,
  'https://evil.example',
  'https://flex.twilio.com.evil.example',
  'http://flex.twilio.com',
  'null',
])('origin %s gets no preflight and may read nothing', async (origin) => {
  const { ask, preflight } = await server();
  const reply = await preflight('/ask', origin);
  expect(reply.status).toBe(404);
  expect(reply.headers['access-control-allow-origin']).toBeUndefined();
  const got = await ask('/ask', origin ? { origin } : {});
  expect(got.headers['access-control-allow-origin']).toBeUndefined();
  expect(got.headers['vary']).toBe('Origin');
});

test('answers and errors alike may be read by Flex, lengths and ranges among them', async () => {
  const { ask } = await server();
  for (const url of ['/ask', '/fails', '/media/x.wav']) {
    const { headers } = await ask(url, { origin: flex });
    expect(headers['access-control-allow-origin']).toBe(flex);
    expect(headers['access-control-expose-headers']).toBe(
      'Content-Length, Content-Range, Accept-Ranges, ETag',
    );
    expect(headers['access-control-allow-credentials']).toBeUndefined();
  }
});

test('other scopes stay closed', async () => {
  const { ask, preflight } = await server();
  expect((await preflight('/elsewhere', flex)).status).toBe(404);
  const reply = await ask('/elsewhere', { origin: flex }, 'POST');
  expect(reply.headers['access-control-allow-origin']).toBeUndefined();
});
