import type { AddressInfo } from 'node:net';
import { CustodyError, readConsentAnswer, readPauseSettings } from '@flex-custody/core';
import { signRequest } from '@flex-custody/vault';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import type { Recorder } from '../../recorder/index.ts';
import { pauseReport, start } from '../../recorder/testing/room.ts';
import { buildApp } from '../app.ts';
import { signatureHeader } from '../plugins/function-signature.ts';
import { roomyLimits } from '../testing/roomy-limits.ts';
import { reportRoutes } from './reports.ts';

const secret = 's'.repeat(32);
const flex = 'https://flex.twilio.com';
const viewer = { identity: 'ada', roles: ['agent'] };
const pause = { enabled: true, behavior: 'silence', resumeAfterSeconds: 600 } as const;
const basic = (token: string) => `Basic ${Buffer.from(`token:${token}`).toString('base64')}`;

const apps: FastifyInstance[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

/** What the double of IAM says of a token. */
const validate = async (token: string | undefined) => {
  if (token === 'good') return viewer;
  if (token === 'unknown') throw new CustodyError('iam_unavailable', 'away');
  if (token === undefined) throw new CustodyError('token_missing', 'none');
  throw new CustodyError('token_refused', 'no');
};

async function open() {
  const keep = jest.fn<ReturnType<Recorder['pending']['keep']>, Parameters<Recorder['pending']['keep']>>(
    async () => undefined,
  );
  const consentOf = jest.fn(async () => ({ required: true, standing: false, paused: false }));
  const receive = jest.fn<ReturnType<Recorder['receive']>, Parameters<Recorder['receive']>>(
    async () => undefined,
  );
  const lines: string[] = [];
  const app = buildApp({
    log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
    routes: [
      (scope) =>
        reportRoutes(scope, {
          recorder: { receive, pending: { keep }, consentOf },
          flexTokens: { validate },
          limits: roomyLimits(),
          secrets: [secret],
          pause: async () => pause,
          origins: [flex],
          now: () => start,
        }),
    ],
  });
  apps.push(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const ask = async (method: string, url: string, headers: Record<string, string>, body?: string) => {
    const init = { method, headers, ...(body === undefined ? {} : { body }) };
    const response = await fetch(`http://127.0.0.1:${port}${url}`, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, json: text ? JSON.parse(text) : undefined };
  };
  const json = { 'content-type': 'application/json' };
  const signed = (method: string, url: string, body: string) => ({
    [signatureHeader]: signRequest(secret, method, url, body, start),
  });
  return { receive, keep, consentOf, ask, json, signed, lines };
}

const report = pauseReport('paused', start);
const body = JSON.stringify(report);

const withToken = (token: unknown) => JSON.stringify({ ...report, token });

test('a report is taken of a user with a Flex token, by way of a Function that signs or of a browser', async () => {
  const { ask, json, signed, receive } = await open();
  const byFunction = withToken('good');
  const answers = [
    await ask('POST', '/reports', { ...json, ...signed('POST', '/reports', byFunction) }, byFunction),
    await ask('POST', '/reports', { ...json, authorization: basic('good'), origin: flex }, body),
  ];
  expect(answers.map(({ status, json }) => [status, json])).toEqual([
    [200, { accepted: true }],
    [200, { accepted: true }],
  ]);
  expect(answers[1]?.headers.get('access-control-allow-origin')).toBe(flex);
  expect(receive.mock.calls.map(([what, reporter]) => [what, reporter])).toEqual([
    [report, { by: 'function', viewer }],
    [report, { by: 'browser', viewer }],
  ]);
});

test.each([
  ['no token', undefined, 401, 'token_missing'],
  ['one that is no text', { a: 1 }, 401, 'token_missing'],
  ['one that IAM refuses', 'bad', 403, 'token_refused'],
])('a signature with %s moves nothing, and nothing is kept', async (_, token, status, error) => {
  const { ask, json, signed, receive, keep } = await open();
  const text = withToken(token);
  const headers = { ...json, ...signed('POST', '/reports', text), authorization: basic('good') };
  expect(await ask('POST', '/reports', headers, text)).toMatchObject({ status, json: { error } });
  expect(receive).not.toHaveBeenCalled();
  expect(keep).not.toHaveBeenCalled();
});

test('with IAM away a report of a Function is kept; a browser comes again', async () => {
  const { ask, json, signed, receive, keep, lines } = await open();
  const text = withToken('unknown');
  const answer = await ask('POST', '/reports', { ...json, ...signed('POST', '/reports', text) }, text);
  expect([answer.status, answer.json]).toEqual([202, { accepted: true, pending: true }]);
  expect(keep.mock.calls.map(([what, token]) => [what, token])).toEqual([[report, 'unknown']]);
  const browser = await ask('POST', '/reports', { ...json, authorization: basic('unknown') }, body);
  expect([browser.status, browser.json]).toEqual([503, { error: 'iam_unavailable' }]);
  expect(receive).not.toHaveBeenCalled();
  expect(lines.join('')).not.toContain(text.slice(-20));
});

test('an agent who has no part in the call is refused, whatever Function passes the token on', async () => {
  const { ask, json, signed, receive } = await open();
  receive.mockRejectedValueOnce(new CustodyError('not_your_call', 'no'));
  const text = withToken('good');
  const answer = await ask('POST', '/reports', { ...json, ...signed('POST', '/reports', text) }, text);
  expect([answer.status, answer.json]).toEqual([403, { error: 'not_your_call' }]);
});

test('a time that makes no sense is refused, and is no fault of ours', async () => {
  const { ask, json } = await open();
  for (const at of [9e15, 1, start - 8 * 86_400_000, start + 3_600_000, 2 ** 53, -1]) {
    const text = JSON.stringify({ ...report, at });
    const answer = await ask('POST', '/reports', { ...json, authorization: basic('good') }, text);
    expect([answer.status, answer.json]).toEqual([400, { error: 'report_invalid' }]);
  }
});

test('what the host knows of a consent, for our Functions alone', async () => {
  const { ask, signed, consentOf } = await open();
  const url = `/consents/CF${'1'.repeat(32)}`;
  const answer = await ask('GET', url, signed('GET', url, ''));
  expect(answer.status).toBe(200);
  expect(readConsentAnswer(answer.json)).toEqual({ required: true, standing: false, paused: false });
  expect(consentOf).toHaveBeenCalledWith(`CF${'1'.repeat(32)}`);
  expect((await ask('GET', url, { authorization: basic('good') })).status).toBe(403);
  expect((await ask('GET', url, {})).status).toBe(401);
  const wrong = '/consents/CF1';
  expect((await ask('GET', wrong, signed('GET', wrong, ''))).status).toBe(400);
  expect(consentOf).toHaveBeenCalledTimes(1);
});

test('nobody else is heard; a signature that fails is not made good by a token', async () => {
  const { ask, json, signed, receive } = await open();
  const post = async (headers: Record<string, string>) => {
    const { status, json: answer } = await ask('POST', '/reports', { ...json, ...headers }, body);
    return [status, answer];
  };
  expect(await post({})).toEqual([401, { error: 'token_missing' }]);
  expect(await post({ authorization: 'Bearer good' })).toEqual([401, { error: 'token_malformed' }]);
  expect(await post({ authorization: basic('bad') })).toEqual([403, { error: 'token_refused' }]);
  const wrong = signed('POST', '/reports', `${body} `);
  expect(await post({ ...wrong, authorization: basic('good') })).toEqual([
    401,
    { error: 'signature_invalid' },
  ]);
  expect(receive).not.toHaveBeenCalled();
});

test('what is no report, or too long for one, is refused without its values', async () => {
  const { ask, json, receive, lines } = await open();
  const post = (text: string) => ask('POST', '/reports', { ...json, authorization: basic('good') }, text);
  expect(await post('{')).toMatchObject({ status: 400, json: { error: 'report_invalid' } });
  expect(await post(body.replace('"paused"', '"+15550100"'))).toMatchObject({
    status: 400,
    json: { error: 'report_invalid' },
  });
  expect(await post(JSON.stringify({ ...report, more: 'x'.repeat(17_000) }))).toMatchObject({
    status: 413,
    json: { error: 'body_too_large' },
  });
  expect(receive).not.toHaveBeenCalled();
  expect(lines.join('')).not.toContain('+15550100');
});

test('one user is heard sixty times a minute; a Function as often as it must', async () => {
  const { ask, json, signed } = await open();
  const statuses = [];
  for (let i = 0; i < 61; i++) {
    const { status } = await ask('POST', '/reports', { ...json, authorization: basic('good') }, body);
    statuses.push(status);
  }
  expect(statuses.lastIndexOf(200)).toBe(59);
  expect(statuses[60]).toBe(429);
  const text = withToken('good');
  const more = await ask('POST', '/reports', { ...json, ...signed('POST', '/reports', text) }, text);
  expect(more.status).toBe(200);
});

test('what is away is said so, that the plugin comes again', async () => {
  const { ask, json, receive } = await open();
  receive.mockRejectedValueOnce(new CustodyError('twilio_unavailable', 'down'));
  const answer = await ask('POST', '/reports', { ...json, authorization: basic('good') }, body);
  expect(answer).toMatchObject({ status: 503, json: { error: 'twilio_unavailable' } });
  expect(answer.headers.get('retry-after')).toBe('5');
});

test('how pausing is set, for the same two', async () => {
  const { ask, signed } = await open();
  const url = '/settings/pause';
  const answer = await ask('GET', url, signed('GET', url, ''));
  expect(answer.status).toBe(200);
  expect(readPauseSettings(answer.json)).toEqual(pause);
  expect(await ask('GET', url, { authorization: basic('good') })).toMatchObject({ status: 200, json: pause });
  expect(await ask('GET', url, {})).toMatchObject({ status: 401 });
});

test('the preflight names what a report needs, to Flex alone; other methods are none', async () => {
  const { ask } = await open();
  const asks = { 'access-control-request-method': 'POST' };
  const preflight = await ask('OPTIONS', '/reports', { ...asks, origin: flex });
  expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([204, 'POST']);
  expect(preflight.headers.get('access-control-allow-headers')).toBe('Authorization, Content-Type');
  expect((await ask('OPTIONS', '/reports', { ...asks, origin: 'https://evil.example' })).status).toBe(404);
  expect((await ask('DELETE', '/reports', {})).status).toBe(405);
});
