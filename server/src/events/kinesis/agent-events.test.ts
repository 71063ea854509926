import { until } from '../../../../test/support/until.ts';
import { migrate } from '../../db/migrate.ts';
import { openEmbedded, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { type AgentEventsDeps, followAgentEvents } from './agent-events.ts';
import type { CurrentStream } from './stream-settings.ts';
import { fakeAlarms, fakeInbox } from './testing/fake-inbox.ts';
import { fakeKinesis } from './testing/fake-kinesis.ts';
import { testPace } from './testing/test-pace.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openEmbedded();
  await migrate(database.db);
});
afterAll(() => database.drop());

const stream = (version: number, name: string): CurrentStream => ({
  version,
  stream: { stream: name, region: 'eu-central-1' },
});

test('it waits for settings, follows them, and changes to new ones; a wrong one is an alarm', async () => {
  const streams: Record<string, ReturnType<typeof fakeKinesis>> = { one: fakeKinesis(), two: fakeKinesis() };
  for (const [name, kinesis] of Object.entries(streams)) {
    kinesis.open('shardId-1');
    kinesis.put('shardId-1', `of ${name}`);
  }
  const inbox = fakeInbox();
  const alarms = fakeAlarms();
  let current: CurrentStream | undefined;
  let asked = 0;
  const closed: string[] = [];
  const ending = new AbortController();
  const deps: AgentEventsDeps = {
    ...{ db: database.db, inbox: inbox.inbox, alarms: alarms.alarms, pace: testPace, silentMinutes: 0 },
    owner: 'a',
    log: { info: () => undefined, warn: () => undefined },
    start: 'trim_horizon',
    settings: async () => {
      asked += 1;
      return current;
    },
    liveSince: async () => [],
    async open({ stream: name }) {
      const kinesis = streams[name];
      if (!kinesis) throw new Error(`no ${name}`);
      return { ...kinesis.connect(), close: () => void closed.push(name) };
    },
  };
  const ended = followAgentEvents(deps, ending.signal);
  await until(() => asked > 2);
  current = stream(1, 'one');
  await until(() => inbox.stored.includes('of one'));
  current = stream(2, 'two words');
  await until(() => alarms.open.has('stream_unreadable'));
  expect(closed).toEqual(['one']);
  current = stream(3, 'two');
  await until(() => inbox.stored.includes('of two'));
  await until(() => alarms.open.size === 0);
  current = undefined;
  await until(() => closed.length === 2);
  current = stream(4, 'one');
  streams['one']?.put('shardId-1', 'more of one');
  await until(() => inbox.stored.includes('more of one'));
  expect(inbox.counts.get('shardId-1')).toMatchObject({ read: 3, stored: 3 });
  ending.abort();
  await ended;
  expect(closed).toEqual(['one', 'two', 'one']);
  expect(await database.db.query('SELECT stream FROM shard_leases WHERE owner IS NOT NULL')).toEqual([]);
});
