import type { AccountSid } from '@flex-custody/core';
import { validator } from 'twilio-flex-token-validator';
import { createFlexTokens, type FlexTokenOptions } from './flex-token.ts';

jest.mock('twilio-flex-token-validator', () => ({ validator: jest.fn() }));
const iam = jest.mocked(validator);

const accountSid = `AC${'a'.repeat(32)}` as AccountSid;
const workerSid = `WK${'1'.repeat(32)}`;
const token = `eyJhbGciOiJkaXIi.${'x'.repeat(300)}.y-_=`;
let clock = Date.parse('2026-11-20T10:00:00Z');

const tokens = (options: Partial<FlexTokenOptions> = {}) =>
  createFlexTokens({ accountSid, authToken: 'secret', now: () => clock, ...options });
const answer = (more: object = {}) => ({
  valid: true,
  identity: 'ada',
  roles: ['agent'],
  worker_sid: workerSid,
  expiration: new Date(clock + 3_600_000).toISOString(),
  ...more,
});

beforeEach(() => {
  iam.mockReset();
  iam.mockImplementation(async () => answer());
});

test('a token that IAM vouches for names its viewer', async () => {
  await expect(tokens({ realm: 'ie1' }).validate(token)).resolves.toEqual({
    identity: 'ada',
    roles: ['agent'],
    workerSid,
  });
  expect(iam).toHaveBeenCalledWith(token, accountSid, 'secret', 'ie1', undefined);
});

test('an API key stands in for the auth token', async () => {
  await tokens({ authToken: undefined, apiKey: { sid: 'SK1', secret: 's' } }).validate(token);
  expect(iam).toHaveBeenCalledWith(token, accountSid, undefined, undefined, { Sid: 'SK1', Secret: 's' });
});

test('roles and worker are taken only in the shape that is promised', async () => {
  iam.mockResolvedValueOnce(answer({ roles: 'admin', worker_sid: 'WKnonsense' }));
  await expect(tokens().validate(token)).resolves.toEqual({ identity: 'ada', roles: [] });
});

test.each([
  ['nothing', undefined, 'token_missing'],
  ['an empty one', '', 'token_missing'],
  ['too short', 'abc', 'token_malformed'],
  ['a line break', `${token}\n`, 'token_malformed'],
  ['not ASCII', `${token}é`, 'token_malformed'],
  ['a quote', `${token}"`, 'token_malformed'],
  ['past 64 KiB', 'x'.repeat(65_537), 'token_malformed'],
])('IAM is not bothered with %s', async (_name, bad, code) => {
  await expect(tokens().validate(bad)).rejects.toMatchObject({ code, status: 401 });
  expect(iam).not.toHaveBeenCalled();
});

test.each(['token is invalid', 'Token expired', 'Expired token', 'Invalid signature', 'Access denied'])(
  'IAM’s word about the token is a refusal: %s',
  async (message) => {
    iam.mockRejectedValueOnce(message);
    await expect(tokens().validate(token)).rejects.toMatchObject({ code: 'token_refused', status: 403 });
  },
);

test.each([
  `Unexpected token '<', "<html>" is not valid JSON`,
  'Unexpected token < in JSON at position 0',
  'Unexpected end of JSON input',
  'connect ECONNREFUSED 127.0.0.1:443',
  'getaddrinfo EAI_AGAIN iam.twilio.com',
  'socket hang up',
  'Client network socket disconnected before secure TLS connection was established',
  'self-signed certificate in certificate chain',
  'Internal Server Error',
  'Service Unavailable',
  'Too Many Requests',
  // Our own credentials, not the listener's token.
  'Authenticate',
  'Unauthorized: AuthToken or Api Credentials were not provided',
  undefined,
  '',
  new Error('write EPIPE'),
])('anything else is an outage, never a refusal: %s', async (message) => {
  iam.mockRejectedValueOnce(message);
  await expect(tokens().validate(token)).rejects.toMatchObject({
    code: 'iam_unavailable',
    status: 503,
    retryable: true,
  });
});

test('an answer without identity is no verdict', async () => {
  iam.mockResolvedValueOnce(answer({ identity: undefined }));
  await expect(tokens().validate(token)).rejects.toMatchObject({ code: 'iam_unavailable' });
});

test('a token never reaches an error message', async () => {
  iam.mockRejectedValueOnce(`bad token ${token}`);
  await expect(tokens().validate(token)).rejects.toThrow(/bad token …$/);
});

test('a silent IAM is given up on', async () => {
  iam.mockImplementationOnce(() => new Promise(() => undefined));
  await expect(tokens({ timeoutMs: 30 }).validate(token)).rejects.toMatchObject({ code: 'iam_unavailable' });
});

test('a hanging IAM does not pile up connections', async () => {
  iam.mockImplementation(() => new Promise(() => undefined));
  const { validate } = tokens({ timeoutMs: 20 });
  const attempts = Array.from({ length: 130 }, (_, index) => validate(token + index));
  const ended = await Promise.allSettled(attempts);
  expect(ended.every(({ status }) => status === 'rejected')).toBe(true);
  expect(iam).toHaveBeenCalledTimes(100);
});

describe('the memory of good answers', () => {
  test('lasts 60 seconds and no longer', async () => {
    const { validate } = tokens();
    await validate(token);
    clock += 59_999;
    await validate(token);
    expect(iam).toHaveBeenCalledTimes(1);
    clock += 1;
    await validate(token);
    expect(iam).toHaveBeenCalledTimes(2);
  });

  test.each([
    ['as a date', () => new Date(clock + 10_000).toISOString()],
    ['as seconds', () => Math.floor(clock / 1000) + 10],
    ['as seconds in text', () => String(Math.floor(clock / 1000) + 10)],
    ['as milliseconds', () => clock + 10_000],
  ])('never outlives the token: expiration %s', async (_name, expiration) => {
    iam.mockImplementation(async () => answer({ expiration: expiration() }));
    const { validate } = tokens();
    await validate(token);
    clock += 8_000;
    await validate(token);
    expect(iam).toHaveBeenCalledTimes(1);
    clock += 3_000;
    await validate(token);
    expect(iam).toHaveBeenCalledTimes(2);
  });

  test.each([undefined, null, 'soon', 0])(
    'holds nothing whose end is unknown or past: %s',
    async (expiration) => {
      iam.mockImplementation(async () => answer({ expiration }));
      const { validate } = tokens();
      await validate(token);
      await validate(token);
      expect(iam).toHaveBeenCalledTimes(2);
    },
  );

  test('holds no refusal', async () => {
    const { validate } = tokens();
    iam.mockRejectedValueOnce('token is invalid');
    await expect(validate(token)).rejects.toMatchObject({ code: 'token_refused' });
    await expect(validate(token)).resolves.toMatchObject({ identity: 'ada' });
  });

  test('keeps tokens apart', async () => {
    iam.mockImplementation(async (given) => answer({ identity: given.slice(-1) }));
    const { validate } = tokens();
    await expect(validate(`${token}a`)).resolves.toMatchObject({ identity: 'a' });
    await expect(validate(`${token}b`)).resolves.toMatchObject({ identity: 'b' });
  });

  test('is bounded: the oldest goes first', async () => {
    const { validate } = tokens();
    for (let index = 0; index <= 2_000; index += 1) await validate(`${token}${index}`);
    await validate(`${token}2000`);
    expect(iam).toHaveBeenCalledTimes(2_001);
    await validate(`${token}0`);
    expect(iam).toHaveBeenCalledTimes(2_002);
  });
});

test('simultaneous requests with one token share one call', async () => {
  const { validate } = tokens();
  await Promise.all([validate(token), validate(token), validate(token)]);
  expect(iam).toHaveBeenCalledTimes(1);
});
