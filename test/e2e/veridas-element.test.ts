import Fastify, { type FastifyInstance } from 'fastify';
import type { Page } from 'playwright-core';
import { veridasRoutes } from '../../sandbox/src/veridas/index.ts';
import { openBrowser, type TestBrowser } from '../support/browser.ts';
import { describeWhere } from '../support/needs.ts';

const callSid = `CA${'1'.repeat(32)}`;

interface Asked {
  path: string;
  form: Record<string, string>;
}

/** The page as the plugin makes it, with Functions that note what they are asked. */
function world(): { app: FastifyInstance; asked: Asked[]; answers: Record<string, [number, string]> } {
  const app = Fastify({ forceCloseConnections: true });
  const asked: Asked[] = [];
  const answers: Record<string, [number, string]> = {
    '/getTemporaryToken': [200, 'Bearer a.b.c'],
    '/startStreamAudio': [200, '{"streamSid":"MZ1"}'],
    '/stopStreamAudio': [200, '{"stopped":true}'],
  };
  veridasRoutes(app);
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  for (const path of Object.keys(answers)) {
    app.post(path, async (request, reply) => {
      asked.push({ path, form: request.body as Record<string, string> });
      const [status, text] = answers[path] ?? [404, ''];
      return reply.code(status).type('text/plain').send(text);
    });
  }
  app.get('/', async (_request, reply) =>
    reply.type('text/html').send(`<!doctype html><link rel="icon" href="data:,"><script type="module">
      import config from '/veridas/config.js';
      import utils from '/veridas/utils.js';
      const script = document.createElement('script');
      script.src = '/veridas/daspeak-streaming-web-agent-twilio.bundle.js';
      script.onload = () => {
        const element = document.createElement('daspeak-streaming-web-agent-twilio');
        document.body.append(element);
        const our = (path) => location.origin + path;
        element.config = { ...config,
          register: { ...config.register, audioTotalDuration: '0.2' },
          verify: { ...config.verify, audioTotalDuration: '0.1' },
          urlGetTemporaryToken: our('/getTemporaryToken'),
          urlStartStreaming: our('/startStreamAudio'), urlStopStreaming: our('/stopStreamAudio') };
        element.utils = utils;
        element.setAttribute('callSid', '${callSid}');
        Object.assign(element, { securityToken: 'first', callerId: '+34600000001', callInProgress: 'true' });
      };
      document.head.append(script);
    </script>`),
  );
  return { app, asked, answers };
}

describeWhere('chromium', "the sandbox's double of the vendor's element", () => {
  let browser: TestBrowser;
  let page: Page;
  let app: FastifyInstance;
  let asked: Asked[];
  let answers: Record<string, [number, string]>;

  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    ({ app, asked, answers } = world());
    ({ page } = await browser.page());
    await page.goto(await app.listen({ host: '127.0.0.1', port: 0 }));
  });
  afterEach(async () => {
    await page.close();
    await app.close();
  });
  const press = (name: string) => page.getByRole('button', { name }).click();
  const set = (name: string, value: string) =>
    page
      .locator('daspeak-streaming-web-agent-twilio')
      .evaluate((element, [key, to]) => Object.assign(element, { [key as string]: to }), [name, value]);

  test('enrols, then verifies: token, start, stop, each with the Flex token of that moment', async () => {
    await press('Enrol');
    await page.getByText('Success: enrolled').waitFor();
    expect(asked.map(({ path }) => path)).toEqual([
      '/getTemporaryToken',
      '/startStreamAudio',
      '/stopStreamAudio',
    ]);
    expect(asked[1]?.form).toMatchObject({
      Token: 'first',
      callSid,
      url: 'wss://audio.veridas.example/twilio',
    });
    expect(asked[2]?.form).toMatchObject({ callSid, streamSid: 'MZ1' });
    await set('securityToken', 'second');
    await press('Verify');
    await page.getByText('Success: verified').waitFor();
    expect(asked.slice(3).map(({ form }) => form['Token'])).toEqual(['second', 'second', 'second']);
  });

  test('shows what a Function refuses, and can be asked again', async () => {
    answers['/startStreamAudio'] = [403, '{"error":"not_your_call"}'];
    await press('Enrol');
    await page.getByRole('alert').getByText('/startStreamAudio answered 403').waitFor();
    expect(asked.map(({ path }) => path)).not.toContain('/stopStreamAudio');
    answers['/startStreamAudio'] = [200, '{"streamSid":"MZ1"}'];
    await press('Enrol');
    await page.getByText('Success: enrolled').waitFor();
  });

  test('takes nothing but bare "<type> <token>" for a token', async () => {
    answers['/getTemporaryToken'] = [200, '"Bearer a.b.c"\n{}'];
    await press('Enrol');
    await page.getByRole('alert').getByText('the temporary token is not').waitFor();
    expect(asked).toHaveLength(1);
  });

  test('verifies nobody who is not enrolled, and nothing after the call', async () => {
    await press('Verify');
    await page.getByText('no voice is enrolled').waitFor();
    await set('callInProgress', 'false');
    await press('Enrol');
    await page.getByText('no call is in progress').waitFor();
    expect(asked).toEqual([]);
  });
});
