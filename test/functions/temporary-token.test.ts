import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import axios from 'axios';
import { ask, endCall, type Live, liveCall, tokenOf } from './live-call.ts';
import { assetsWith, startVendor, type Vendor } from './vendor.ts';
import { type FunctionsWorld, startFunctionsWorld } from './world.ts';

jest.setTimeout(60_000);

const secret = 'the-secret-that-no-log-may-hold';
const access = `eyJhbGciOiJSUzI1NiJ9.${'x'.repeat(600)}.y-_`;
let folder: string;
let vendor: Vendor;
let world: FunctionsWorld;
let Token: string;
let call: Live;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'temporary-token-'));
  vendor = await startVendor();
  const assets = assetsWith(join(folder, 'assets'), vendor.ca);
  world = await startFunctionsWorld(
    { getTemporaryTokenCloudUrl: vendor.url, client_id: 'custody', client_secret: secret },
    relative(process.cwd(), assets),
  );
  call = await liveCall(world);
  Token = await tokenOf(world, call.agent.worker);
});
afterAll(async () => {
  await world?.close();
  await vendor?.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  vendor.asked.length = 0;
  vendor.disguise(false);
  world.host.consent = { required: true, standing: true, paused: false };
  world.consents.length = 0;
  answers({ token_type: 'Bearer', access_token: access, expires_in: 3600, scope: 'more' });
});

const answers = (body: unknown, status = 200) => {
  vendor.answer = { status, body: typeof body === 'string' ? body : JSON.stringify(body) };
};
const get = (form: Record<string, string> = { Token }, origin?: string) =>
  ask(world, 'getTemporaryToken', form, origin);

test('the bare text, as the vendor puts it into a header, to fetch and to axios alike', async () => {
  const { status, text, headers } = await get({ Token }, 'https://flex.twilio.com');
  expect([status, text]).toEqual([200, `Bearer ${access}`]);
  expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(headers.get('access-control-allow-origin')).toBe('https://flex.twilio.com');
  expect(headers.get('cache-control')).toBe('no-store');
  const form = new URLSearchParams({ Token });
  const { data } = await axios.post<unknown>(`${world.url}/getTemporaryToken`, form, { proxy: false });
  expect(data).toBe(`Bearer ${access}`);
});

test('the vendor is asked by its client credentials, as multipart', async () => {
  await get();
  expect(vendor.asked).toHaveLength(1);
  for (const [name, value] of [
    ['grant_type', 'client_credentials'],
    ['client_id', 'custody'],
    ['client_secret', secret],
  ])
    expect(vendor.asked[0]).toMatch(new RegExp(`name="${name}"\r\n\r\n${value}\r\n`));
});

test('nobody without a Flex token gets one, and no foreign page', async () => {
  const codes = [
    await get({}),
    await get({ Token: 'x'.repeat(40) }),
    await get({ Token: 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aXY.Y2lwaGVy.dGFn' }),
    await get({ Token }, 'https://evil.example'),
  ].map(({ status, body }) => [status, body['error']]);
  expect(codes).toEqual([
    [401, 'token_missing'],
    [401, 'token_malformed'],
    [403, 'token_refused'],
    [403, 'origin_refused'],
  ]);
  expect(vendor.asked).toEqual([]);
});

test('nor anybody without a call of their own whose caller agreed', async () => {
  const codes = [
    await get({ Token: await tokenOf(world, call.other) }),
    await get({ Token: await tokenOf(world, call.other), conferenceSid: call.conference }),
    await get({ Token: await tokenOf(world, '', { roles: ['flex.user'], worker_sid: undefined }) }),
  ].map(({ status, body }) => [status, body['error']]);
  expect(codes).toEqual([
    [404, 'call_not_live'],
    [403, 'not_your_call'],
    [403, 'not_your_call'],
  ]);
  world.host.consent = { required: true, standing: false, paused: false };
  expect(await get()).toMatchObject({ status: 403, body: { error: 'consent_missing' } });
  world.host.consent = { required: true, standing: true, paused: true };
  expect(await get()).toMatchObject({ status: 409, body: { error: 'call_paused' } });
  world.host.consent = 503;
  expect(await get()).toMatchObject({ status: 503, body: { error: 'host_unreachable' } });
  expect(vendor.asked).toEqual([]);
});

test('the vendor’s guide sends the token alone; what else its bundle may send tells where to look', async () => {
  for (const more of [{}, { callSid: call.customerCall }, { callSid: 'undefined', taskSid: 'undefined' }])
    expect((await get({ Token, ...more })).status).toBe(200);
  expect(new Set(world.consents)).toEqual(new Set([call.conference]));
});

test('after the call there is none', async () => {
  const over = await liveCall(world, { worker: call.other });
  endCall(world, over);
  const answer = await get({ Token: await tokenOf(world, call.other) });
  expect(answer).toMatchObject({ status: 404, body: { error: 'call_not_live' } });
});

test.each([
  ['refuses our credentials', { error: 'invalid_client', hint: secret }, 401, 'vendor_refused'],
  ['refuses the request', {}, 400, 'vendor_refused'],
  ['fails', '<html>', 500, 'vendor_unreachable'],
  ['asks for patience', {}, 429, 'vendor_unreachable'],
  ['sends us elsewhere', {}, 302, 'vendor_unreachable'],
  ['answers no JSON', '<html>', 200, 'vendor_unreachable'],
  ['answers without a token', { token_type: 'Bearer' }, 200, 'vendor_unreachable'],
  [
    'answers what breaks a header',
    { token_type: 'Bearer', access_token: 'a\r\nb' },
    200,
    'vendor_unreachable',
  ],
])('a vendor that %s: 502, and nothing of it comes through', async (_, body, status, error) => {
  answers(body, status);
  const answer = await get();
  expect([answer.status, answer.text]).toEqual([502, JSON.stringify({ error })]);
});

test('a certificate of another authority is not believed, and no secret is sent to whoever shows it', async () => {
  vendor.disguise(true);
  const { status, body } = await get();
  expect([status, body]).toEqual([502, { error: 'vendor_unreachable' }]);
  expect(vendor.asked).toEqual([]);
});

test('nothing that a log must not hold is in it', () => {
  const text = world.logged.join('\n');
  expect(text).toContain('"event":"getTemporaryToken"');
  for (const value of [secret, access, Token, world.sandbox.account.authToken])
    expect(text).not.toContain(value);
});
