import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { pageRoutes } from './index.ts';

const root = join(process.cwd(), 'sandbox/src/page/assets');

describe('pageRoutes', () => {
  let app: FastifyInstance;
  let origin: string;
  beforeAll(async () => {
    app = Fastify();
    pageRoutes(app, {
      hostUrl: 'http://127.0.0.1:4100/base',
      mediaOrigins: ['http://127.0.0.1:9000'],
      root,
    });
    origin = await app.listen({ host: '127.0.0.1', port: 0 });
  });
  const get = (path: string) => fetch(origin + path);
  afterAll(() => app.close());

  test('serves everything that the page and its own files ask for', async () => {
    const asked = new Set(['/']);
    for (const path of asked) {
      const response = await get(path);
      expect([path, response.status]).toEqual([path, 200]);
      const names = (await response.text()).matchAll(/(?:href|src)="(\/page\/[^"]+)"|from '\.\/([^']+)'/g);
      for (const [, absolute, beside] of names) asked.add(absolute ?? `/page/${beside}`);
    }
    expect(asked.size).toBeGreaterThan(10);
  });

  test.each([
    ['/', 'text/html'],
    ['/page/app.js', 'text/javascript'],
    ['/page/style.css', 'text/css'],
    ['/page/icon.svg', 'image/svg+xml'],
  ])('gives %s its type', async (path, type) => {
    expect((await get(path)).headers.get('content-type')).toContain(type);
  });

  test('lets the page talk to the sandbox, the host and the media alone', async () => {
    const policy = String((await get('/')).headers.get('content-security-policy'));
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self' http://127.0.0.1:4100 http://127.0.0.1:9000;");
    expect(policy).toContain("media-src 'self' http://127.0.0.1:4100 http://127.0.0.1:9000;");
    expect(policy).not.toContain('unsafe');
  });

  test('tells the page where the host is', async () => {
    expect(await (await get('/page/settings.json')).json()).toEqual({
      hostUrl: 'http://127.0.0.1:4100/base',
    });
  });

  test.each(['/page/../index.ts', '/page/..%2findex.ts', '/page/index.ts', '/page/'])(
    'knows no %s',
    async (path) => {
      expect((await get(path)).status).toBe(404);
    },
  );
});
