import { randomUUID } from 'node:crypto';
import { signRequest } from '@flex-custody/vault';
import { until } from '../support/until.ts';
import { functions, type RealHost, startRealHost } from './real-host.ts';

let host: RealHost;

beforeAll(async () => {
  host = await startRealHost({ CUSTODY_PAUSE_RESUME_SECONDS: '1' });
});
afterAll(() => host.stop());

// A host of its own takes its time where other tests are busy beside it.
jest.setTimeout(120_000);

/** A call as it is before its end, its recordings paused by a Function whose report was lost. */
async function pausedCall() {
  const placed = await host.place({ seconds: 2 });
  const { calls, conferences, recordings, reservations, tasks } = host.sandbox.twilio.world;
  const conference = conferences.get(placed.conference)!;
  conference.status = 'in-progress';
  for (const participant of conference.participants) {
    participant.status = 'connected';
    Object.assign(calls.get(participant.callSid)!, { status: 'in-progress', endedAt: null });
  }
  for (const { reservation } of placed.reservations) reservations.get(reservation)!.status = 'accepted';
  const task = tasks.get(placed.task)!;
  const since = Date.now();
  const [agent] = placed.reservations;
  const mark = { paused: { since, by: agent!.worker } };
  const attributes = { ...JSON.parse(task.attributes), flex_custody: mark };
  Object.assign(task, {
    status: 'assigned',
    attributes: JSON.stringify(attributes),
    version: task.version + 1,
  });
  for (const sid of placed.recordings) recordings.get(sid)!.status = 'paused';
  const other = [...host.sandbox.twilio.world.workers.keys()].find((worker) => worker !== agent!.worker)!;
  return { ...placed, since, agent: agent!.worker, other };
}

type Paused = Awaited<ReturnType<typeof pausedCall>>;

const reportOf = (kind: string, call: Paused) => ({
  id: randomUUID(),
  kind,
  at: call.since,
  taskSid: call.task,
  conferenceSid: call.conference,
});

const tokenOf = async (worker: string) =>
  (await host.control<{ token: string }>('tokens', { roles: ['agent'], worker_sid: worker })).token;

async function tell(worker: string, kind: string, call: Paused) {
  const token = await tokenOf(worker);
  const answer = await fetch(`${host.url}/reports`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from(`token:${token}`).toString('base64')}`,
    },
    body: JSON.stringify(reportOf(kind, call)),
  });
  return [answer.status, await answer.json()];
}

/** Asks as one who has the Functions' secret. */
async function signed(method: string, path: string, content?: object) {
  const body = content === undefined ? '' : JSON.stringify(content);
  const secret = host.env['CUSTODY_FUNCTION_SECRETS'] ?? '';
  const answer = await fetch(`${host.url}${path}`, {
    method,
    headers: {
      'x-custody-signature': signRequest(secret, method, path, body, Date.now()),
      ...(content && { 'content-type': 'application/json' }),
    },
    ...(content && { body }),
  });
  return [answer.status, await answer.json()];
}

test('a pause of which the browser tells is resumed in its time, and only of its own call', async () => {
  const call = await pausedCall();
  const { recordings, tasks } = host.sandbox.twilio.world;
  expect(await tell(call.other, 'paused', call)).toEqual([403, { error: 'not_your_call' }]);
  expect(await tell(call.agent, 'paused', call)).toEqual([200, { accepted: true }]);
  await until(() => call.recordings.every((sid) => recordings.get(sid)!.status === 'in-progress'));
  await until(() => !('flex_custody' in JSON.parse(tasks.get(call.task)!.attributes)));
});

/** Of the shape of a Flex token, and nobody's. */
const nobodys = 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aXY.Y2lwaGVy.dGFn';

test('the Functions’ secret alone pauses and resumes nothing', async () => {
  const call = await pausedCall();
  const { recordings } = host.sandbox.twilio.world;
  const before = call.recordings.map((sid) => recordings.get(sid)!.status);
  const say = (kind: string, more: object) =>
    signed('POST', '/reports', { ...reportOf(kind, call), ...more });
  for (const kind of ['paused', 'resumed']) {
    expect(await say(kind, {})).toEqual([401, { error: 'token_missing' }]);
    expect(await say(kind, { token: 'x'.repeat(40) })).toEqual([401, { error: 'token_malformed' }]);
    expect(await say(kind, { token: nobodys })).toEqual([403, { error: 'token_refused' }]);
    expect(await say(kind, { token: await tokenOf(call.other) })).toEqual([403, { error: 'not_your_call' }]);
  }
  expect(call.recordings.map((sid) => recordings.get(sid)!.status)).toEqual(before);
  expect(await say('resumed', { token: await tokenOf(call.agent) })).toEqual([200, { accepted: true }]);
});

test('with IAM away a Function’s report waits, and is taken when IAM is back', async () => {
  const call = await pausedCall();
  const { recordings } = host.sandbox.twilio.world;
  const token = await tokenOf(call.agent);
  await host.control('faults', { target: 'iam', kind: 'status', value: 503, times: 1 });
  expect(await signed('POST', '/reports', { ...reportOf('paused', call), token })).toEqual([
    202,
    { accepted: true, pending: true },
  ]);
  await until(() => call.recordings.every((sid) => recordings.get(sid)!.status === 'in-progress'));
});

test('a consent is the live call’s own, and the Functions can ask for it', async () => {
  const call = await pausedCall();
  const { tasks } = host.sandbox.twilio.world;
  const consent = { purpose: 'voice-enrolment', decision: 'given', callSid: call.customerCall };
  const give = async (worker: string) =>
    signed('POST', '/reports', { ...reportOf('consent', call), ...consent, token: await tokenOf(worker) });
  const asked = () => signed('GET', `/consents/${call.conference}`);
  expect(await give(call.other)).toEqual([403, { error: 'not_your_call' }]);
  expect(await asked()).toEqual([200, { required: true, standing: false, paused: false }]);
  expect(await give(call.agent)).toEqual([200, { accepted: true }]);
  expect(await asked()).toEqual([200, { required: true, standing: true, paused: true }]);
  tasks.get(call.task)!.attributes = '{}';
  expect(await asked()).toEqual([200, { required: true, standing: true, paused: false }]);
});

test('a call is read while it lasts, whoever says that it is there, and attributes say nothing of it', async () => {
  const call = await pausedCall();
  const { recordings, taskEvents, tasks } = host.sandbox.twilio.world;
  // Nothing but the live call itself tells whose it is.
  taskEvents.clear();
  const task = tasks.get(call.task)!;
  task.attributes = JSON.stringify({ ...JSON.parse(task.attributes), direction: 'internal' });
  expect(await tell(call.other, 'joined', call)).toEqual([200, { accepted: true }]);
  const [sid = ''] = call.recordings;
  recordings.get(sid)!.status = 'completed';
  expect(await host.announce(sid)).toMatchObject({ status: 200 });
  await until(async () => (await host.show(sid)).direction !== undefined);
  expect(await host.show(sid)).toMatchObject({ direction: 'inbound' });
});

const setup = async (...flags: string[]) => {
  const { code, out, err } = await host.run('setup', ...flags);
  return { code, out: out + err };
};

test("setup keeps the text of what is not ours, as it crosses Twilio's wire", async () => {
  const world = host.sandbox.twilio.world.flexConfiguration;
  const text =
    '{ "version_compatibility":"yes","crm_id":12345678901234567890,"amount" : 1.10,"n\\u0061me":"\\/"}';
  const before = structuredClone(world);
  Object.assign(world, { ui_attributes: JSON.parse(text), uiAttributesText: text });
  expect(await setup('--functions-url', functions, '--yes')).toMatchObject({ code: 0 });
  expect(world.uiAttributesText?.startsWith(text.slice(0, -1))).toBe(true);
  expect(world.ui_attributes).toMatchObject({ name: '/', flex_custody: { functions_url: functions } });
  Object.assign(world, before);
});

test('setup writes what the desktop is then served, and what was there stays', async () => {
  const before = structuredClone(host.sandbox.twilio.world.flexConfiguration.ui_attributes);
  const flags = ['--mode', 'theirs', '--functions-url', functions];
  expect(await setup(...flags)).toMatchObject({ code: 1, out: expect.stringContaining('--yes') });
  expect(host.sandbox.twilio.world.flexConfiguration.ui_attributes).toEqual(before);
  expect(await setup(...flags, '--yes')).toMatchObject({
    code: 0,
    out: expect.stringContaining('Written and checked'),
  });
  expect(await setup(...flags)).toMatchObject({
    code: 0,
    out: expect.stringContaining('already correct'),
  });
  const served = await (await fetch(`${host.sandbox.url}/sandbox/live/configuration`)).json();
  expect(served).toMatchObject({
    call_recording_enabled: true,
    call_recording_webhook_url: `${functions}/recording-status-callback?taskSid={taskSid}#rc=5&rp=all`,
    ui_attributes: {
      version_compatibility: 'yes',
      flex_custody: { functions_url: functions, host_url: host.url, recording: { mode: 'theirs' } },
    },
  });
});
