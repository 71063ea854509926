import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import { createFaults } from '../faults.ts';
import { flexIdentity, newSid } from '../sids.ts';
import { type Question, startAsking } from '../testing/asking.ts';
import { createWorld } from '../world.ts';
import { mintToken } from './iam.ts';

const world = createWorld();
const faults = createFaults();
const { accountSid, authToken, apiKey, apiSecret, workspaceSid } = world.account;
let rest: Awaited<ReturnType<typeof startAsking>>;

beforeAll(async () => {
  rest = await startAsking(world, faults);
});
afterAll(() => rest.close());
beforeEach(() => faults.clear());

const ask = async (question: Omit<Question, 'path'> & { url: string }) => {
  const { url, ...others } = question;
  const answer = await rest.ask({ path: url, ...others });
  return { ...answer, text: answer.body.toString() };
};
const json = (answer: { text: string }) => JSON.parse(answer.text) as Record<string, unknown>;

test('each API answers under its own name, regional ones too, and under no other', async () => {
  const url = `/2010-04-01/Accounts/${accountSid}.json`;
  expect((await ask({ host: 'api.twilio.com', url })).status).toBe(200);
  expect((await ask({ host: 'api.dublin.ie1.twilio.com', url })).status).toBe(200);
  for (const host of ['taskrouter.twilio.com', 'iam.twilio.com', 'api.twilio.com.evil.example'])
    expect((await ask({ host, url })).status).toBe(404);
});

test('an API key does as well as the token; another account is not there', async () => {
  const host = 'api.twilio.com';
  const auth = `${apiKey}:${apiSecret}`;
  expect((await ask({ host, url: `/2010-04-01/Accounts/${accountSid}.json`, auth })).status).toBe(200);
  expect((await ask({ host, url: `/2010-04-01/Accounts/${newSid('AC')}.json` })).status).toBe(404);
});

test('a refusal has Twilio’s shape', async () => {
  const answer = await ask({ host: 'api.twilio.com', url: '/2010-04-01/x', auth: '' });
  expect(answer.headers['www-authenticate']).toMatch(/^Basic/);
  expect(json(answer)).toEqual({
    code: 20003,
    message: 'Authenticate',
    more_info: 'https://www.twilio.com/docs/errors/20003',
    status: 401,
  });
});

describe('tokens', () => {
  const token = (facts: { expiresAt: Date }) =>
    mintToken(world, { identity: 'x', roles: ['agent', 'wfo.full_access'], workerSid: 'WK1', ...facts });
  const validate = async (given: string) => {
    const url = `/v1/Accounts/${accountSid}/Tokens/validate`;
    return json(
      await ask({
        host: 'iam.twilio.com',
        url,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token: given }),
      }),
    );
  };
  const soon = () => new Date(Date.now() + 60_000);

  test('look like a Flex JWE: five parts, some kilobytes, different each time', () => {
    const one = token({ expiresAt: soon() });
    expect(one.split('.')).toHaveLength(5);
    expect(one).toMatch(/^[A-Za-z0-9_.-]+$/);
    expect(one.length).toBeGreaterThan(4000);
    expect(one.length).toBeLessThan(9000);
    expect(token({ expiresAt: soon() })).not.toBe(one);
  });

  test('are valid until they expire, and say whose they are', async () => {
    const good = token({ expiresAt: soon() });
    expect(await validate(good)).toMatchObject({
      valid: true,
      identity: 'x',
      roles: ['agent', 'wfo.full_access'],
      worker_sid: 'WK1',
      expiration: expect.stringMatching(/Z$/),
    });
    const late = await validate(token({ expiresAt: new Date(Date.now() - 1000) }));
    expect(late).toMatchObject({ valid: false, message: 'Token is expired', roles: null });
    const other = `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`;
    expect(await validate(other)).toMatchObject({ valid: false, message: 'Token is not valid' });
  });
});

describe('FlexRecordingWebhook', () => {
  const path = `/v1/Accounts/${accountSid}/Workspaces/${workspaceSid}/Tasks/WT1/FlexRecordingWebhook`;
  const form = { RecordingSid: 'RE1', AccountSid: accountSid };
  const forward = (signature: string) =>
    ask({
      host: 'webhooks.twilio.com',
      url: path,
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': signature,
      },
      auth: '',
      body: new URLSearchParams(form).toString(),
    });

  test('takes a form that is signed for it, and keeps it', async () => {
    const url = `https://webhooks.twilio.com${path}`;
    expect((await forward(getExpectedTwilioSignature(authToken, url, form))).status).toBe(200);
    expect(world.forwarded).toMatchObject([{ taskSid: 'WT1', form }]);
  });

  test('refuses one that is not', async () => {
    const elsewhere = getExpectedTwilioSignature(authToken, 'https://elsewhere.example/', form);
    expect((await forward(elsewhere)).status).toBe(403);
    expect(world.forwarded).toHaveLength(1);
  });
});

test('tasks are searched three times a second, and no more; lists without a search are not counted', async () => {
  const url = `/v1/Workspaces/${workspaceSid}/Tasks`;
  const search = `${url}?EvaluateTaskAttributes=${encodeURIComponent("a == 'b'")}`;
  const answers = await Promise.all(
    [search, search, search, url, url, search].map((one) => ask({ host: 'taskrouter.twilio.com', url: one })),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
  expect(json(answers.at(-1)!)).toMatchObject({ status: 429, code: 20429 });
});

describe('faults', () => {
  const url = `/v1/Workspaces/${workspaceSid}/Workers`;
  const workers = () => ask({ host: 'taskrouter.twilio.com', url });

  test('on the API as a whole meet TaskRouter too, those on TaskRouter only it', async () => {
    faults.add({ target: 'api', kind: 'status', value: 429, times: 1 });
    expect(json(await workers())).toMatchObject({ status: 429, code: 20429 });
    faults.add({ target: 'taskrouter', kind: 'status', value: 500, times: 2 });
    expect(
      (await ask({ host: 'api.twilio.com', url: `/2010-04-01/Accounts/${accountSid}.json` })).status,
    ).toBe(200);
    expect([(await workers()).status, (await workers()).status, (await workers()).status]).toEqual([
      500, 500, 200,
    ]);
  });

  test('answer HTML, nothing, or late', async () => {
    faults.add({ target: 'taskrouter', kind: 'html', times: 1 });
    faults.add({ target: 'taskrouter', kind: 'empty', times: 1 });
    faults.add({ target: 'taskrouter', kind: 'slow', value: 120, times: 1 });
    expect((await workers()).text).toContain('<html>');
    expect((await workers()).text).toBe('');
    const begun = Date.now();
    expect((await workers()).status).toBe(200);
    expect(Date.now() - begun).toBeGreaterThanOrEqual(110);
  });

  test('that last until they are cleared do', async () => {
    faults.add({ target: 'taskrouter', kind: 'status', times: 0 });
    for (let time = 0; time < 5; time += 1) expect((await workers()).status).toBe(503);
    faults.clear();
    expect((await workers()).status).toBe(200);
  });
});

test('an identity is written as Flex writes it', () => {
  expect(flexIdentity('agent@example.com')).toBe('agent_40example_2Ecom');
  expect(flexIdentity('José_1')).toBe('Jos_C3_A9_5F1');
});
