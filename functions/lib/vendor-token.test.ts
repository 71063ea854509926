import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Deadline, startDeadline } from './deadline.ts';
import { vendorToken } from './vendor-token.ts';

let server: Server;
let asked: number;
/** What the vendor answers next, the last one for all that follow; `hang` never answers. */
let answers: ({ status?: number; body?: object } | 'hang')[];
let clock: number;
let run = 0;

beforeEach(async () => {
  asked = 0;
  clock = Date.parse('2026-11-24T10:00:00Z');
  run += 1;
  server = createServer(async (incoming, outgoing) => {
    for await (const _ of incoming);
    asked += 1;
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === 'hang') return;
    const body = answer?.body ?? { token_type: 'Bearer', access_token: `token-${asked}` };
    outgoing.writeHead(answer?.status ?? 200, { 'content-type': 'application/json' });
    outgoing.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** Of another client each test, so that none finds another one's token. */
const get = (more: { clientId?: string; deadline?: Deadline } = {}) => {
  const { port } = server.address() as AddressInfo;
  const { clientId = `client-${run}`, deadline = startDeadline() } = more;
  const vendor = { url: `http://127.0.0.1:${port}/oauth/token`, clientId, clientSecret: 'the-secret' };
  return vendorToken(vendor, undefined, deadline, () => clock);
};
const body = (more: object) => ({ body: { token_type: 'Bearer', access_token: 'abc', ...more } });
const jwt = (exp: unknown) => `e30.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.sig`;

test('simultaneous requests share one call', async () => {
  answers = [{}];
  expect(await Promise.all([get(), get(), get()])).toEqual([
    'Bearer token-1',
    'Bearer token-1',
    'Bearer token-1',
  ]);
  expect(asked).toBe(1);
});

test.each([
  ['says how long it lives', body({ expires_in: 600 }), 570_000],
  ['says so in text', body({ expires_in: '600' }), 570_000],
  ['is a JWT that says so', body({ access_token: jwt(Date.parse('2026-11-24T10:05:00Z') / 1000) }), 270_000],
  ['says nothing', body({}), 60_000],
  ['says nonsense', body({ expires_in: 'soon', access_token: jwt('soon') }), 60_000],
])('a token that %s is handed out until shortly before', async (_, answer, ms) => {
  answers = [answer];
  await get();
  clock += ms - 1;
  await get();
  expect(asked).toBe(1);
  clock += 1;
  await get();
  expect(asked).toBe(2);
});

test('one that is about to expire is handed out, and not again', async () => {
  answers = [body({ expires_in: 20 })];
  await get();
  await get();
  expect(asked).toBe(2);
});

test('another client gets a token of its own', async () => {
  answers = [{}];
  expect([await get(), await get({ clientId: `other-${run}` })]).toEqual([
    'Bearer token-1',
    'Bearer token-2',
  ]);
});

test('a failure is not remembered', async () => {
  answers = [{ status: 500 }, {}];
  await expect(get()).rejects.toMatchObject({ code: 'vendor_unreachable', status: 502, retryable: true });
  expect(await get()).toBe('Bearer token-2');
});

test('a refusal is told apart, and asking again does not mend it', async () => {
  answers = [{ status: 401 }];
  await expect(get()).rejects.toMatchObject({ code: 'vendor_refused', status: 502, retryable: false });
});

test('a vendor that is silent, or away, is given up on in time, and no error carries the secret', async () => {
  answers = ['hang'];
  const deadline = { ...startDeadline(), left: () => 200 };
  const silent: unknown = await get({ deadline }).catch((error: unknown) => error);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const away: unknown = await vendorToken(
    { url: 'http://127.0.0.1:9/', clientId: 'x', clientSecret: 'the-secret' },
    undefined,
    startDeadline(),
  ).catch((error: unknown) => error);
  for (const error of [silent, away]) {
    expect(error).toMatchObject({ code: 'vendor_unreachable' });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('the-secret');
    expect((error as Error).cause).toBeUndefined();
  }
});
