import { type AccountSid, CustodyError } from '@flex-custody/core';
import { createFlexTokens, type FlexTokenOptions } from './flex-token.ts';
import { type AskIam, iamUnavailable } from './iam.ts';

const accountSid = `AC${'a'.repeat(32)}` as AccountSid;
const workerSid = `WK${'1'.repeat(32)}`;
const header = Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString('base64url');
const token = `${header}..aXY.Y2lwaGVy.dGFn`;
let clock = Date.parse('2026-11-20T10:00:00Z');

const iam = jest.fn<ReturnType<AskIam>, Parameters<AskIam>>();
const tokens = (options: Partial<FlexTokenOptions> = {}) =>
  createFlexTokens({ accountSid, authToken: 'secret', now: () => clock, iam, ...options });
const answer = (more: object = {}) => ({
  valid: true,
  identity: 'ada',
  roles: ['agent'],
  worker_sid: workerSid,
  expiration: new Date(clock + 3_600_000).toISOString(),
  ...more,
});
const refusal = () => new CustodyError('token_refused', 'no');
/** Ends when it is told to stop, as the real one does. */
const silent: AskIam = (_token, signal) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(iamUnavailable('late'))));

beforeEach(() => {
  iam.mockReset();
  iam.mockImplementation(async () => answer());
});

test('a token that IAM vouches for names its viewer', async () => {
  await expect(tokens().validate(token)).resolves.toEqual({
    identity: 'ada',
    roles: ['agent'],
    workerSid,
  });
  expect(iam).toHaveBeenCalledWith(token, expect.any(AbortSignal));
});

test('roles and worker are taken only in the shape that is promised', async () => {
  iam.mockResolvedValueOnce(answer({ roles: 'admin', worker_sid: 'WKnonsense' }));
  await expect(tokens().validate(token)).resolves.toEqual({ identity: 'ada', roles: [] });
});

test.each([
  ['nothing', undefined, 'token_missing'],
  ['an empty one', '', 'token_missing'],
  ['no Flex token', 'x'.repeat(400), 'token_malformed'],
])('IAM is not bothered with %s', async (_name, bad, code) => {
  await expect(tokens().validate(bad)).rejects.toMatchObject({ code, status: 401 });
  expect(iam).not.toHaveBeenCalled();
});

test('an answer without identity is no verdict', async () => {
  iam.mockResolvedValueOnce(answer({ identity: undefined }));
  await expect(tokens().validate(token)).rejects.toMatchObject({ code: 'iam_unavailable' });
});

test('a silent IAM is given up on, and the request to it ends', async () => {
  iam.mockImplementation(silent);
  await expect(tokens({ timeoutMs: 20 }).validate(token)).rejects.toMatchObject({ code: 'iam_unavailable' });
  expect(iam.mock.calls[0]?.[1].aborted).toBe(true);
});

describe('many tokens that nobody knows', () => {
  const flood = (validate: ReturnType<typeof tokens>['validate'], count: number) =>
    Promise.allSettled(Array.from({ length: count }, (_, index) => validate(`${token}${index}`)));

  test('take three quarters of the calls to IAM, and no more', async () => {
    iam.mockImplementation(silent);
    const ended = await flood(tokens({ timeoutMs: 20 }).validate, 130);
    expect(ended.every(({ status }) => status === 'rejected')).toBe(true);
    expect(iam).toHaveBeenCalledTimes(75);
  });

  test('leave room for a token that was good before', async () => {
    const { validate } = tokens({ timeoutMs: 20 });
    await validate(token);
    clock += 60_001;
    iam.mockImplementation(silent);
    const flooded = flood(validate, 130);
    iam.mockImplementation(async () => answer());
    await expect(validate(token)).resolves.toMatchObject({ identity: 'ada' });
    await flooded;
  });

  test('meet whoever wants to count them first; a token that was good before does not', async () => {
    const { validate } = tokens();
    const count = jest.fn();
    await validate(token, count);
    await validate(token, count);
    expect(count).toHaveBeenCalledTimes(1);
    clock += 60_001;
    await validate(token, count);
    expect(count).toHaveBeenCalledTimes(1);
    expect(iam).toHaveBeenCalledTimes(2);
    count.mockImplementation(() => {
      throw new CustodyError('too_many_requests', 'no');
    });
    await expect(validate(`${token}a`, count)).rejects.toMatchObject({ code: 'too_many_requests' });
    expect(iam).toHaveBeenCalledTimes(2);
  });

  test('one that has expired is a stranger again', async () => {
    const { validate } = tokens();
    await validate(token);
    clock += 3_600_001;
    const count = jest.fn();
    await validate(token, count);
    expect(count).toHaveBeenCalledTimes(1);
  });
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

describe('the memory of refusals', () => {
  test('asks IAM once in 15 seconds, whoever repeats a refused token', async () => {
    const { validate } = tokens();
    iam.mockRejectedValue(refusal());
    for (let times = 0; times < 20; times += 1)
      await expect(validate(token)).rejects.toMatchObject({ code: 'token_refused' });
    expect(iam).toHaveBeenCalledTimes(1);
    clock += 15_000;
    iam.mockResolvedValue(answer());
    await expect(validate(token)).resolves.toMatchObject({ identity: 'ada' });
  });

  test('ends what was good before', async () => {
    const { validate } = tokens();
    await validate(token);
    clock += 60_000;
    iam.mockRejectedValue(refusal());
    await expect(validate(token)).rejects.toMatchObject({ code: 'token_refused' });
    clock += 15_000;
    const count = jest.fn();
    await expect(validate(token, count)).rejects.toMatchObject({ code: 'token_refused' });
    expect(count).toHaveBeenCalledTimes(1);
  });

  test('holds no outage', async () => {
    const { validate } = tokens();
    iam.mockRejectedValueOnce(iamUnavailable('503'));
    await expect(validate(token)).rejects.toMatchObject({ code: 'iam_unavailable' });
    await expect(validate(token)).resolves.toMatchObject({ identity: 'ada' });
  });
});

test('simultaneous requests with one token share one call', async () => {
  const { validate } = tokens();
  await Promise.all([validate(token), validate(token), validate(token)]);
  expect(iam).toHaveBeenCalledTimes(1);
});
