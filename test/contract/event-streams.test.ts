import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { AccountSid, WorkspaceSid } from '@flex-custody/core';
import type { Connection } from '../../packages/twilio/src/connection.ts';
import { eventStreams } from '../../packages/twilio/src/event-streams.ts';
import { createAdjustablePace } from '../../packages/twilio/src/pace.ts';
import { taskEvents } from '../../packages/twilio/src/task-events.ts';
import type { AgentEvent } from '../../sandbox/src/agent-events/list.ts';
import { type Sandbox, startSandbox } from '../../sandbox/src/index.ts';
import type { Marks } from '../../server/src/catalog/marks.ts';
import { eventTypes, rateLimitType } from '../../server/src/events/event-types.ts';
import type { Inbox } from '../../server/src/events/inbox.ts';
import { noticing, reportedLimits } from '../../server/src/recorder/event-streams/noticing.ts';
import { type StreamSetupDeps, setUpStream } from '../../server/src/recorder/event-streams/setup.ts';
import { repair } from '../../server/src/recorder/repair/repair.ts';
import { fakeInbox } from '../../server/src/recorder/testing/fake-inbox.ts';
import type { Json, Run } from '../../server/src/runs/runs.ts';
import { recordingClient } from './recording-client.ts';

let dataDir: string;
let sandbox: Sandbox;
let connection: Connection;
let server: Server;
let publicUrl: string;
let inbox: ReturnType<typeof fakeInbox>;
let receives: Inbox;
let status: number;
let marks: Marks;
let deps: StreamSetupDeps;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sandbox-events-'));
  sandbox = await startSandbox({
    port: 0,
    dataDir,
    functionsBaseUrl: 'https://flex-custody-4200-dev.twil.io',
    functionsOrigin: 'http://127.0.0.1:9',
    publicHostUrl: 'http://127.0.0.1:4100',
  });
  const client = await recordingClient(sandbox);
  const { accountSid, workspaceSid } = sandbox.account;
  connection = {
    accountSid: accountSid as AccountSid,
    workspaceSid: workspaceSid as WorkspaceSid,
    events: async () => client.events.v1,
    workspace: async () => client.taskrouter.v1.workspaces(workspaceSid),
  } as Connection;
  server = createServer(async (request, response) => {
    const events = JSON.parse(await text(request)) as unknown[];
    if (status === 200) await receives.take(events, { source: 'webhook' });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  publicUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await sandbox.close();
  await rm(dataDir, { recursive: true });
});
beforeEach(() => {
  const kept = new Map<string, Readonly<Json>>();
  marks = {
    mark: async (name) => kept.get(name),
    setMark: async (name, mark) => void kept.set(name, mark),
  };
  inbox = fakeInbox();
  receives = noticing(inbox, marks);
  status = 200;
  const { world } = sandbox.twilio;
  world.sinks.clear();
  world.subscriptions.clear();
  deps = {
    twilio: eventStreams(connection),
    catalog: marks,
    config: { publicUrl },
    pollMs: 5,
    testMs: 5_000,
  };
});

/** Runs work once, and gives back what it saved last. */
async function once(work: (run: Run) => Promise<void>, options: Json) {
  let saved: { notes: Record<string, string>; counts: Record<string, number> } = { notes: {}, counts: {} };
  await work({
    options,
    state: undefined,
    counts: {},
    signal: AbortSignal.timeout(60_000),
    save: async (state, counts) => {
      saved = { notes: (state['notes'] ?? {}) as Record<string, string>, counts };
    },
  });
  return saved;
}
const setUp = (options: Json = {}) => once((run) => setUpStream(deps, run), options);
const onlySink = () => [...sandbox.twilio.world.sinks.values()][0]!;
const onlySubscription = () => [...sandbox.twilio.world.subscriptions.values()][0]!;
const known = () => sandbox.twilio.world;

test('sets up sink and subscription once; a second run changes nothing and says so', async () => {
  expect(await setUp({ dryRun: true })).toMatchObject({ counts: { changed: 2, problems: 0 } });
  expect(known().sinks.size).toBe(0);
  const first = await setUp();
  expect(first.counts).toMatchObject({ changed: 3, problems: 0 });
  expect(onlySink()).toMatchObject({
    status: 'active',
    configuration: { destination: `${publicUrl}/events` },
  });
  const types = [...onlySubscription().types.keys()];
  expect(types.sort()).toEqual([...eventTypes].sort());
  expect(types).toContain(rateLimitType);
  expect(onlySubscription().types.get('com.twilio.taskrouter.reservation.accepted')).toBe(4);
  const before = JSON.stringify([...known().sinks, ...known().subscriptions]);
  const second = await setUp();
  expect(second.counts).toMatchObject({ changed: 0, problems: 0 });
  expect(second.notes).toMatchObject({
    sink: expect.stringContaining('active'),
    subscription: expect.stringContaining('complete'),
  });
  expect(JSON.stringify([...known().sinks, ...known().subscriptions])).toBe(before);
});

test('after a removal it is set up again, though every test event has the same id', async () => {
  await setUp();
  expect(await setUp({ remove: true, dryRun: true })).toMatchObject({ counts: { changed: 2 } });
  expect(known().sinks.size).toBe(1);
  expect((await setUp({ remove: true })).counts).toMatchObject({ changed: 2, problems: 0 });
  expect([known().sinks.size, known().subscriptions.size]).toEqual([0, 0]);
  expect((await setUp({ remove: true })).notes).toEqual({ sink: 'there is none of this host' });
  expect((await setUp()).counts).toMatchObject({ problems: 0 });
  expect(onlySink().status).toBe('active');
});

test("others' sinks and subscriptions stay as they are", async () => {
  const { twilio } = deps;
  const configuration = { destination: `${publicUrl}/events`, method: 'POST', batch_events: true };
  const theirs = await twilio.createSink({ description: 'theirs', type: 'webhook', configuration });
  const elsewhere = await twilio.createSink({
    description: 'flex-custody recorder',
    type: 'webhook',
    configuration: { ...configuration, destination: 'http://127.0.0.1:9/events' },
  });
  await setUp();
  expect(known().sinks.size).toBe(3);
  await setUp({ remove: true });
  expect([...known().sinks.keys()].sort()).toEqual([theirs.sid, elsewhere.sid].sort());
});

test('a subscription of another owner on our sink is a problem, and is left alone', async () => {
  await setUp();
  onlySubscription().description = 'theirs';
  for (const options of [{}, { remove: true }]) {
    const { counts, notes } = await setUp(options);
    expect(counts).toMatchObject({ changed: 0, problems: 1 });
    expect(Object.values(notes).join()).toContain('in use by DF');
  }
  expect([known().sinks.size, known().subscriptions.size]).toEqual([1, 1]);
});

test('a test event that does not arrive, and a sink that failed: each says what to do, and later succeeds', async () => {
  status = 503;
  const failed = await setUp();
  expect(failed.counts).toMatchObject({ problems: 1 });
  expect(failed.notes['sink']).toMatch(/failed.*CUSTODY_PUBLIC_URL.*--remove/);
  expect(known().subscriptions.size).toBe(0);
  status = 200;
  expect((await setUp()).counts).toMatchObject({ problems: 0 });
  known().subscriptions.clear();
  onlySink().status = 'initialized';
  receives = inbox;
  deps = { ...deps, testMs: 0 };
  const lost = await setUp();
  expect(lost.counts).toMatchObject({ problems: 1 });
  expect(lost.notes['sink']).toContain('did not arrive');
  expect(known().subscriptions.size).toBe(0);
});

test('a sink that Twilio makes active by itself must still bring its test event', async () => {
  const { twilio } = deps;
  const createSink: typeof twilio.createSink = async (asked) => {
    const sink = await twilio.createSink(asked);
    onlySink().status = 'active';
    return { ...sink, status: 'active' };
  };
  deps = { ...deps, twilio: { ...twilio, createSink } };
  expect((await setUp()).counts).toMatchObject({ problems: 0 });
  await setUp({ remove: true });
  receives = inbox;
  deps = { ...deps, testMs: 0 };
  expect((await setUp()).notes['sink']).toContain('did not arrive');
});

test('missing types and old schema versions are completed, and nothing else is touched', async () => {
  await setUp();
  const { types } = onlySubscription();
  const update = 'com.twilio.taskrouter.worker.activity.update';
  types.delete(rateLimitType);
  types.set(update, 1);
  types.set('com.twilio.taskrouter.task.created', 3);
  const { sid } = onlySubscription();
  const { counts, notes } = await setUp();
  expect(counts).toMatchObject({ changed: 1, problems: 0 });
  expect(notes['subscription']).toContain('1 types were missing, 1 had an old schema version');
  expect(onlySubscription().sid).toBe(sid);
  expect(types.has(rateLimitType)).toBe(true);
  expect([types.get(update), types.get('com.twilio.taskrouter.task.created')]).toEqual([4, 3]);
});

test('a sink for Kinesis is validated by what arrives in the stream, and replaced when its role differs', async () => {
  const kinesis = {
    arn: 'arn:aws:kinesis:eu-central-1:123456789012:stream/twilio-events',
    roleArn: 'arn:aws:iam::123456789012:role/twilio',
    externalId: 'abc-1',
  };
  sandbox.twilio.eventStreams.toKinesis(async (_arn, records) => {
    await receives.take(
      records.map(({ data }) => data),
      { source: 'kinesis' },
    );
  });
  expect((await setUp({ kinesis })).counts).toMatchObject({ changed: 3, problems: 0 });
  const { sid } = onlySink();
  expect((await setUp({ kinesis })).counts).toMatchObject({ changed: 0 });
  const other = { ...kinesis, externalId: 'abc-2' };
  const replaced = await setUp({ kinesis: other });
  expect(replaced.counts).toMatchObject({ problems: 0 });
  expect(replaced.notes['sink']).toContain('external_id differed');
  expect(onlySink()).toMatchObject({ status: 'active', configuration: { external_id: 'abc-2' } });
  expect(onlySink().sid).not.toBe(sid);
  expect(onlySubscription().types.size).toBe(eventTypes.length);
  await expect(setUp({ kinesis: { ...kinesis, arn: 'twilio-events' } })).rejects.toMatchObject({
    code: 'event_sink_invalid',
  });
  expect((await setUp({ kinesis: { arn: kinesis.arn }, remove: true })).counts).toMatchObject({ changed: 2 });
});

test('gap repair finds exactly what Event Streams lost', async () => {
  await setUp();
  const { eventStreams: streams } = sandbox.twilio;
  const began = Date.now();
  streams.misbehave({ loseOneIn: 4, duplicateOneIn: 5, shuffle: true, seed: 3 });
  const tasks: string[] = [];
  for (const story of ['answered', 'hold', 'warm-transfer', 'cold-transfer', 'abandoned', 'chat']) {
    const response = await fetch(`${sandbox.url}/sandbox/stories`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ story, talkSeconds: 300, holdSeconds: 600 }),
    });
    tasks.push(((await response.json()) as { task: { sid: string } }).task.sid);
  }
  await streams.settled();
  streams.misbehave({ loseOneIn: 0, duplicateOneIn: 0, shuffle: false });
  const sidOf = ({ taskRouter }: AgentEvent) => taskRouter?.sid ?? [];
  const lost = streams.lost.flatMap(sidOf).sort();
  expect(lost.length).toBeGreaterThan(5);
  const before = inbox.stored.length;

  const { accountSid, workspaceSid } = connection;
  const pace = createAdjustablePace(100, { windowMs: 1, longestMs: 1_000, mostBound: 100 });
  const work = (run: Run) =>
    repair(
      {
        twilio: { ...taskEvents(connection, pace), account: async () => undefined },
        catalog: { ...marks, now: async () => new Date() },
        inbox,
        config: { accountSid, workspaceSid },
        log: { warn: () => undefined },
        now: async () => Date.now() + 120_000,
      },
      run,
    );
  const options = { since: new Date(began - 2 * 3_600_000).toISOString() };
  const { counts } = await once(work, options);
  const repaired = inbox.stored.slice(before).map(({ event }) => (event as { id: string }).id);
  expect(repaired.sort()).toEqual(lost);
  expect(counts).toMatchObject({ missing: lost.length, set_aside: 0 });

  const all = tasks.flatMap((task) => known().agentEvents.ofTask(task)).flatMap(sidOf);
  const stored = inbox.stored.map(({ event }) => (event as { data: { sid?: string } }).data.sid ?? '');
  expect(new Set(stored.filter((sid) => sid.startsWith('EV')))).toEqual(new Set(all));

  // What was repaired has the payload that the stream would have brought.
  const stream = known()
    .agentEvents.all()
    .find((event) => sidOf(event) === lost[0]);
  const found = inbox.stored.map(({ event }) => event as { id: string }).find(({ id }) => id === lost[0]);
  expect(found).toMatchObject({
    type: stream?.type,
    data: { payload: { ...stream?.taskRouter?.payload } },
  });
});

test('rate limits that TaskRouter reports are noted, by the stream alone', async () => {
  await setUp();
  const report = (data: object) =>
    fetch(`${sandbox.url}/sandbox/agent-events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: rateLimitType, data }),
    });
  await report({ resource_key: 'taskrouter.events', rate_limit: 7, current_rate: 1, rate_limited: false });
  await report({ resource_key: 'other', rate_limit: 'many' });
  await sandbox.twilio.eventStreams.settled();
  expect(await reportedLimits(marks)).toEqual(new Map([['taskrouter.events', 7]]));
});
