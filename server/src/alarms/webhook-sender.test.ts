import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AlarmWebhook } from '@flex-custody/core';
import { createAgent } from '@flex-custody/net';
import { makeCertificates } from '../../../sandbox/src/certificates.ts';
import { createWebhookSender } from './webhook-sender.ts';

const secrets = ['n'.repeat(32), 'o'.repeat(32)];
const webhook = { id: 'one-raised', event: 'raised', code: 'copy_failed' } as AlarmWebhook;
const received: { method?: string; headers: http.IncomingHttpHeaders; body: string }[] = [];
let server: http.Server;
let origin: string;

const answer: http.RequestListener = async (request, response) => {
  let body = '';
  for await (const piece of request.setEncoding('utf8')) body += piece;
  received.push({ ...(request.method && { method: request.method }), headers: request.headers, body });
  const [, status, how] = request.url?.split('/') ?? [];
  if (how === 'silent') return;
  response.writeHead(Number(status), { location: `${origin}/204` });
  if (how === 'slow') return void response.write('half');
  response.end('hush');
};

beforeAll(async () => {
  server = http.createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => void received.splice(0));

const sender = (path: string, limitMs?: number) =>
  createWebhookSender(
    { url: origin + path, secrets, allowPrivate: true },
    { ...(limitMs !== undefined && { limitMs }) },
  );

test('a webhook is one POST of JSON, signed by each secret over time and body', async () => {
  await sender('/204').send(webhook);
  const [one, ...others] = received;
  expect(others).toEqual([]);
  expect(one).toMatchObject({ method: 'POST', body: JSON.stringify(webhook) });
  expect(one?.headers['content-type']).toBe('application/json');
  const signature = one?.headers['x-flex-custody-signature'];
  const [, t] = /^t=(\d+),/.exec(String(signature)) ?? [];
  expect(Math.abs(Date.now() / 1_000 - Number(t))).toBeLessThan(300);
  const by = secrets.map((secret) => createHmac('sha256', secret).update(`${t}.${one?.body}`).digest('hex'));
  expect(signature).toBe(`t=${t},v1=${by[0]},v1=${by[1]}`);
});

test.each([200, 201, 204, 299])('%i is success', (status) => sender(`/${status}`).send(webhook));

test.each([408, 429, 500, 502, 503])('%i may pass', (status) =>
  expect(sender(`/${status}`).send(webhook)).rejects.toMatchObject({
    ...{ code: 'webhook_unavailable', retryable: true },
    message: `the receiver answered ${status}`,
  }),
);

test.each([301, 302, 307, 400, 401, 403, 404, 410, 422])(
  '%i is final, and no redirect is followed',
  async (status) => {
    await expect(sender(`/${status}`).send(webhook)).rejects.toMatchObject({
      ...{ code: 'webhook_refused', retryable: false },
      message: `the receiver answered ${status}`,
    });
    expect(received).toHaveLength(1);
  },
);

test('a body that does not end changes nothing; no answer at all may pass', async () => {
  await sender('/200/slow', 1_000).send(webhook);
  await expect(sender('/404/slow', 1_000).send(webhook)).rejects.toMatchObject({ code: 'webhook_refused' });
  await expect(sender('/204/silent', 100).send(webhook)).rejects.toMatchObject({
    code: 'webhook_unavailable',
    message: 'the receiver cannot be reached (no answer)',
  });
});

test('who is not reached is named without the URL, which may hold a token', async () => {
  const nowhere = { url: 'http://127.0.0.1:9/token', secrets, allowPrivate: true };
  const failure = await createWebhookSender(nowhere)
    .send(webhook)
    .catch((error: Error) => error);
  expect(failure).toMatchObject({
    code: 'webhook_unavailable',
    message: 'the receiver cannot be reached (ECONNREFUSED)',
  });
});

test('the end of the process ends a webhook, with its own reason', async () => {
  const [stop, reason] = [new AbortController(), new Error('stopping')];
  const sent = sender('/204/silent').send(webhook, stop.signal);
  stop.abort(reason);
  await expect(sent).rejects.toBe(reason);
});

test('without leave for private networks nothing is sent to one, by name or address', async () => {
  const { port } = new URL(origin);
  for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]']) {
    const refused = createWebhookSender({ url: `https://${host}:${port}/204`, secrets, allowPrivate: false });
    await expect(refused.send(webhook)).rejects.toMatchObject({
      code: 'webhook_refused',
      message: 'its address is not on the public Internet',
    });
  }
  const agent = createAgent('http:', {
    publicOnly: true,
    lookup: (_hostname, { all }, done) =>
      all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4),
  });
  const named = { url: `http://hooks.example:${port}/204`, secrets, allowPrivate: false };
  await expect(createWebhookSender(named, { agent }).send(webhook)).rejects.toMatchObject({
    code: 'webhook_refused',
  });
  expect(received).toEqual([]);
});

test('reaching asks by HEAD and takes any status; a certificate of nobody is not reached', async () => {
  expect(await sender('/405').reach()).toBe(405);
  expect(received).toMatchObject([{ method: 'HEAD', body: '' }]);
  const folder = mkdtempSync(join(tmpdir(), 'webhook-'));
  const secure = https.createServer(await makeCertificates(folder), answer);
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}/204`;
  await expect(createWebhookSender({ url, secrets, allowPrivate: true }).reach()).rejects.toMatchObject({
    code: 'webhook_unavailable',
    message: expect.stringMatching(/SIGN|CERT/),
  });
  secure.close();
  rmSync(folder, { recursive: true });
});
