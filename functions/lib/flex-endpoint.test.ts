import { CustodyError } from '@flex-custody/core';
import type { FlexConfig } from './flex-config.ts';
import { type FlexEndpoint, flexEndpoint } from './flex-endpoint.ts';
import type { Context, RuntimeResponse } from './runtime.ts';

const iam = jest.fn<Promise<Record<string, unknown>>, [token: string]>();
jest.mock('../../packages/twilio/src/iam.ts', () => ({
  createIam: jest.fn(() => (token: string) => iam(token)),
}));

class FakeResponse implements RuntimeResponse {
  status = 200;
  body: unknown;
  headers: Record<string, string> = {};
  setStatusCode = (status: number) => {
    this.status = status;
  };
  setBody = (body: unknown) => {
    this.body = body;
  };
  appendHeader = (name: string, value: string) => {
    this.headers[name] = value;
  };
}

const flex = 'https://flex.twilio.com';
/** Of another account each time: what one test learned of the token is not the next one's. */
let config: FlexConfig;
let tests = 0;
const token = `${Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString('base64url')}..aXY.${'x'.repeat(100)}.dGFn`;
const expired = () => new CustodyError('token_refused', 'Token expired');
let lines: string[];

beforeEach(() => {
  tests += 1;
  const accountSid = `AC${String(tests).padStart(32, '0')}`;
  config = { accountSid, authToken: 'b', origins: [flex] } as unknown as FlexConfig;
  Object.assign(globalThis, { Twilio: { Response: FakeResponse } });
  iam.mockReset();
  iam.mockImplementation(async () => ({ valid: true, identity: 'alice', roles: ['agent'] }));
  lines = [];
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  Reflect.deleteProperty(globalThis, 'Twilio');
});

async function call(
  parts: Partial<FlexEndpoint<unknown, FlexConfig>> = {},
  event: Record<string, unknown> = {},
  origin?: unknown,
) {
  const answers: FakeResponse[] = [];
  const work = jest.fn(async () => ({ status: 200, body: {} }));
  const handler = flexEndpoint({ name: 'test', config: () => config, parse: () => 'form', work, ...parts });
  const body = { 'content-type': 'application/x-www-form-urlencoded' };
  const headers = origin === undefined ? body : { ...body, origin };
  await handler(
    {} as Context,
    { Token: token, request: { headers, cookies: {} }, ...event },
    (_error, response) => {
      answers.push(response as FakeResponse);
    },
  );
  expect(answers).toHaveLength(1);
  return { answer: answers[0]!, work };
}

test('work is told who holds the token', async () => {
  const { answer, work } = await call();
  expect(answer.status).toBe(200);
  expect(work).toHaveBeenCalledWith(
    'form',
    expect.objectContaining({ config, token, viewer: { identity: 'alice', roles: ['agent'] } }),
  );
  expect(answer.headers).toEqual({
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    Vary: 'Origin',
  });
});

test('a text goes out as it is', async () => {
  const { answer } = await call({ work: async () => ({ status: 200, body: 'Bearer abc' }) });
  expect([answer.body, answer.headers['Content-Type']]).toEqual(['Bearer abc', 'text/plain; charset=utf-8']);
});

test.each([
  [flex, 200, flex],
  ['https://evil.example', 403, undefined],
  ['null', 403, undefined],
  [`${flex}.evil.example`, 403, undefined],
  [[flex, 'https://evil.example'], 403, undefined],
])('origin %s: %d', async (origin, status, allowed) => {
  const { answer, work } = await call({}, {}, origin);
  expect([answer.status, answer.headers['Access-Control-Allow-Origin']]).toEqual([status, allowed]);
  expect(work).toHaveBeenCalledTimes(status === 200 ? 1 : 0);
  expect(iam).toHaveBeenCalledTimes(status === 200 ? 1 : 0);
});

test('a refusal is readable for our own page, with its reason', async () => {
  iam.mockRejectedValueOnce(expired());
  const { answer, work } = await call({}, {}, flex);
  expect([answer.status, answer.body]).toEqual([
    403,
    { error: 'token_refused', message: expect.stringContaining('Token expired') },
  ]);
  expect(answer.headers['Access-Control-Allow-Origin']).toBe(flex);
  expect(work).not.toHaveBeenCalled();
});

test.each([[undefined], [['a', 'b']], [{}]])('a token that is none: %s', async (Token) => {
  const { answer } = await call({}, { Token });
  expect(answer.status).toBe(401);
  expect(iam).not.toHaveBeenCalled();
});

test.each([
  ['a GET, which has no body', {}],
  ['a body shorter than the token', { 'content-type': 'application/json', 'content-length': '90' }],
  ['a body that is no form', { 'content-type': 'text/plain', 'content-length': '400' }],
  [
    'a body that the other fields fill',
    { 'content-type': 'application/json', 'content-length': String(token.length + 20) },
  ],
])('a token that came with the query is none: %s', async (_, headers) => {
  const filler = 'y'.repeat(token.length);
  const { answer, work } = await call({}, { filler, request: { headers, cookies: {} } });
  expect([answer.status, answer.body]).toMatchObject([401, { error: 'token_missing' }]);
  expect(work).not.toHaveBeenCalled();
  expect(iam).not.toHaveBeenCalled();
});

test.each([
  ['a form', 'application/x-www-form-urlencoded', new URLSearchParams({ Token: token, a: 'é' }).toString()],
  ['JSON', 'application/json', JSON.stringify({ Token: token, a: 'é', want: true, list: [1, 2] })],
])('a token that came in the body is one: %s', async (_name, type, text) => {
  const headers = { 'content-type': type, 'content-length': String(Buffer.byteLength(text)) };
  const fields = type.endsWith('json') ? JSON.parse(text) : { Token: token, a: 'é' };
  const { answer } = await call({}, { ...fields, request: { headers, cookies: {} } });
  expect(answer.status).toBe(200);
});

test.each([
  [{ headers: { origin: flex, 'content-type': 'application/json' } }],
  [{ headers: {} }],
  [{ headers: { Origin: flex, 'content-type': 'application/json' }, cookies: {} }],
  [{ headers: { 'content-type': 'application/json', origin: { a: flex } }, cookies: {} }],
  [{ headers: [], cookies: {} }],
  ['text'],
  [null],
])('headers that a body made up are none: %j', async (request) => {
  const { answer, work } = await call({}, { request }, 'https://evil.example');
  expect([answer.status, answer.body]).toMatchObject([400, { error: 'request_invalid' }]);
  expect(answer.headers['Access-Control-Allow-Origin']).toBeUndefined();
  expect(work).not.toHaveBeenCalled();
  expect(iam).not.toHaveBeenCalled();
});

test('nothing is read of the form before the token is good', async () => {
  iam.mockRejectedValueOnce(expired());
  const parse = jest.fn();
  await call({ parse });
  expect(parse).not.toHaveBeenCalled();
});

test('what is wrong on our side is for the log alone', async () => {
  const { answer } = await call({
    work: async () => {
      throw new CustodyError('twilio_unavailable', 'detail of ours');
    },
  });
  expect([answer.status, answer.body]).toEqual([503, { error: 'twilio_unavailable' }]);
});

test('a missing variable is named in the log, and nowhere else', async () => {
  const { answer } = await call({
    config: () => {
      throw new CustodyError('config_invalid', 'set: TWILIO_WORKSPACE_SID');
    },
  });
  expect([answer.status, answer.body]).toEqual([500, { error: 'config_invalid' }]);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    code: 'config_invalid',
    detail: 'set: TWILIO_WORKSPACE_SID',
  });
});

test('what takes too long is answered before the platform ends it', async () => {
  const stop = new AbortController();
  jest.spyOn(AbortSignal, 'timeout').mockReturnValue(stop.signal);
  setTimeout(() => stop.abort(), 20);
  const { answer } = await call({ work: () => new Promise(() => undefined) });
  expect([answer.status, answer.body]).toEqual([503, { error: 'twilio_unavailable' }]);
});

test('a good token is asked about once while the process lives', async () => {
  iam.mockImplementation(async () => ({
    valid: true,
    identity: 'alice',
    roles: [],
    expiration: new Date(Date.now() + 60_000).toISOString(),
  }));
  await call();
  await call();
  expect(iam).toHaveBeenCalledTimes(1);
});
