import http, { createServer, type RequestListener } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { AccountSid } from '@flex-custody/core';
import { createIam, type IamConfig } from './iam.ts';

const accountSid = `AC${'a'.repeat(32)}` as AccountSid;
const token = 'the.token';
const never = new AbortController().signal;
const { request } = https;
let answer: RequestListener;
let asked: { url: string; method?: string | undefined; headers: http.IncomingHttpHeaders; body: string }[];

/** Stands in for whatever is asked by `https`. */
const server = createServer((incoming, outgoing) => {
  let body = '';
  incoming.on('data', (piece) => {
    body += piece;
  });
  incoming.on('end', () => {
    const { url = '', method, headers } = incoming;
    asked.push({ url, method, headers, body });
    answer(incoming, outgoing);
  });
});
const proxyNames = ['HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'];
const before = proxyNames.map((name) => [name, process.env[name]] as const);

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  https.request = request;
  server.closeAllConnections();
  server.close();
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});
beforeEach(() => {
  asked = [];
  for (const name of proxyNames) delete process.env[name];
  const { port } = server.address() as AddressInfo;
  https.request = ((url: string, options: https.RequestOptions) => {
    const { host, pathname } = new URL(url);
    return http.request(`http://127.0.0.1:${port}/${host}${pathname}`, { ...options, agent: undefined });
  }) as typeof https.request;
});

const says = (status: number, body: unknown) => {
  answer = (_request, response) =>
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
};
const ask = (config: Partial<IamConfig> = {}, signal = never) =>
  createIam({ accountSid, authToken: 'secret', ...config })(token, signal);

test('asks as Twilio’s own validator does, and gives the answer on as it is', async () => {
  says(200, { valid: true, identity: 'ada' });
  await expect(ask()).resolves.toEqual({ valid: true, identity: 'ada' });
  expect(asked).toEqual([
    {
      url: `/iam.twilio.com/v1/Accounts/${accountSid}/Tokens/validate`,
      method: 'POST',
      body: JSON.stringify({ token }),
      headers: expect.objectContaining({
        authorization: `Basic ${Buffer.from(`${accountSid}:secret`).toString('base64')}`,
        'cache-control': 'no-cache',
        'content-type': 'application/json',
        'content-length': String(JSON.stringify({ token }).length),
      }),
    },
  ]);
});

test('a realm has a host of its own, and an API key stands in for the auth token', async () => {
  says(200, { valid: true });
  await ask({ realm: 'ie1', authToken: undefined, apiKey: { sid: 'SK1', secret: 's' } });
  expect(asked[0]?.url).toMatch(/^\/iam\.ie1\.twilio\.com\//);
  expect(asked[0]?.headers.authorization).toBe(`Basic ${Buffer.from('SK1:s').toString('base64')}`);
});

test.each([
  [200, { valid: false, code: 20101, message: 'Token is expired' }],
  [200, { valid: false }],
  [400, { valid: false, message: 'token is invalid' }],
  [403, { code: 20104, message: 'Access Token expired' }],
  [401, { code: 20107 }],
])('IAM’s word about the token is a refusal: %i %j', async (status, body) => {
  says(status, body);
  await expect(ask()).rejects.toMatchObject({ code: 'token_refused', status: 403 });
});

test.each([
  [200, '<html>', /unusable \(200\)/],
  [200, '', /unusable/],
  [200, { identity: 'ada' }, /unusable/],
  [200, { valid: 'true', identity: 'ada' }, /unusable/],
  [200, { valid: true, pad: 'x'.repeat(70_000) }, /too long/],
  [302, { valid: false }, /unusable \(302\)/],
  [401, { code: 20003, message: 'Authenticate' }, /check TWILIO_AUTH_TOKEN/],
  [403, '', /check TWILIO_AUTH_TOKEN/],
  [404, { code: 20404 }, /check TWILIO_REALM/],
  [429, { code: 20429, valid: false }, /429, code 20429/],
  [500, { valid: true, identity: 'ada' }, /unusable \(500\)/],
  [503, { valid: false }, /unusable \(503\)/],
])('anything else is an outage, never a verdict: %i %j', async (status, body, message) => {
  says(status, body);
  await expect(ask()).rejects.toMatchObject({
    code: 'iam_unavailable',
    status: 503,
    retryable: true,
    message: expect.stringMatching(message),
  });
});

test('nothing of an answer’s text reaches an error message', async () => {
  says(200, { valid: false, message: `bad token ${token}` });
  await expect(ask()).rejects.not.toThrow(/the\.token/);
});

test('without credentials nothing is sent', async () => {
  await expect(ask({ authToken: undefined })).rejects.toThrow(/set TWILIO_AUTH_TOKEN/);
  expect(asked).toEqual([]);
});

test('who breaks off ends the request, before an answer and within one', async () => {
  for (const begin of [false, true]) {
    const stop = new AbortController();
    const closed = new Promise((resolve) => {
      answer = (incoming, response) => {
        if (begin) response.write('{');
        incoming.socket.once('close', resolve);
        stop.abort();
      };
    });
    await expect(ask({}, stop.signal)).rejects.toThrow(/no answer in time/);
    await closed;
  }
});

test('goes through the proxy that the environment names, whose own word is none of IAM’s', async () => {
  https.request = request;
  const names: unknown[] = [];
  const proxy = createServer().on('connect', (incoming, socket) => {
    names.push(incoming.url);
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n{"valid":false}');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  process.env['HTTPS_PROXY'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  await expect(ask()).rejects.toThrow(/the proxy does not connect to iam\.twilio\.com \(403\)/);
  expect(names).toEqual(['iam.twilio.com:443']);
  proxy.close();
});
