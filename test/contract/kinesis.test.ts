import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordsCommand,
  SplitShardCommand,
  UpdateShardCountCommand,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { type KinesisDouble, type OwnKinesis, startKinesis } from '../../sandbox/src/kinesis/index.ts';
import { migrate } from '../../server/src/db/migrate.ts';
import { openEmbedded, type TestDatabase } from '../../server/src/db/testing/on-each-engine.ts';
import { followAgentEvents } from '../../server/src/events/kinesis/agent-events.ts';
import { faultOf } from '../../server/src/events/kinesis/kinesis.ts';
import { openKinesis } from '../../server/src/events/kinesis/kinesis-client.ts';
import { fakeAlarms, fakeInbox } from '../../server/src/events/kinesis/testing/fake-inbox.ts';
import { until } from '../support/until.ts';

const region = 'us-east-1';
const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
const StreamName = 'twilio-events';
const settings = { stream: StreamName, region, credentials };
const never = new AbortController().signal;

/** A double with a stream, and what Twilio and an operator do with it. */
function withStream(double: KinesisDouble, shards: number) {
  const folder = mkdtempSync(join(tmpdir(), 'kinesis-'));
  let own: OwnKinesis;
  let client: KinesisClient;
  const at = {
    endpoint: () => own.endpoint,
    async active() {
      await until(async () => {
        const { StreamDescriptionSummary } = await client.send(
          new DescribeStreamSummaryCommand({ StreamName }),
        );
        return StreamDescriptionSummary?.StreamStatus === 'ACTIVE';
      });
    },
    async open() {
      const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }));
      return Shards.filter((shard) => shard.SequenceNumberRange?.EndingSequenceNumber === undefined);
    },
    async put(texts: readonly string[]) {
      for (let from = 0; from < texts.length; from += 500) {
        const Records = texts
          .slice(from, from + 500)
          .map((text) => ({ Data: Buffer.from(text), PartitionKey: text }));
        const { FailedRecordCount } = await client.send(new PutRecordsCommand({ StreamName, Records }));
        expect(FailedRecordCount ?? 0).toBe(0);
      }
    },
    send: (command: SplitShardCommand | MergeShardsCommand | UpdateShardCountCommand) =>
      client.send(command as never),
  };
  beforeAll(async () => {
    own = await startKinesis({ double, root: process.cwd(), folder });
    client = new KinesisClient({
      region,
      credentials,
      endpoint: own.endpoint,
      requestHandler: new NodeHttpHandler(),
    });
    await client.send(new CreateStreamCommand({ StreamName, ShardCount: shards }));
    await at.active();
  });
  afterAll(async () => {
    client.destroy();
    await own.close();
    rmSync(folder, { recursive: true });
  });
  return at;
}

/** Processes of the role recorder with one inbox, at the usual pace but for shorter waits. */
function recorders(endpoint: () => string) {
  let database: TestDatabase;
  const inbox = fakeInbox();
  const alarms = fakeAlarms();
  const ending = new AbortController();
  const running: Promise<void>[] = [];
  beforeAll(async () => {
    database = await openEmbedded();
    await migrate(database.db);
  });
  afterAll(async () => {
    ending.abort();
    await Promise.all(running);
    await database.drop();
  });
  return {
    inbox,
    alarms,
    start(owner: string) {
      running.push(
        followAgentEvents(
          {
            ...{ db: database.db, inbox: inbox.inbox, alarms: alarms.alarms, owner, silentMinutes: 0 },
            log: { info: () => undefined, warn: () => undefined },
            start: 'trim_horizon',
            endpoint: endpoint(),
            settings: async () => ({ version: 1, stream: settings }),
            liveSince: async () => [],
            pace: {
              ...{ leaseMs: 60_000, lookMs: 100, listMs: 200, readMs: 20, idleMs: 50 },
              ...{ silentMs: 60_000, retryMs: 50, limit: 1_000 },
            },
          },
          ending.signal,
        ),
      );
    },
    leased: async () => {
      const rows = await database.db.query<{ shard: string }>(
        `SELECT shard FROM shard_leases WHERE state = 'open' AND owner IS NOT NULL AND expires_at > now()`,
      );
      return rows.map(({ shard }) => shard).sort();
    },
  };
}

describe('a stream that is re-sharded (kinesis-local)', () => {
  const stream = withStream('kinesis-local', 1);
  const host = recorders(stream.endpoint);
  const texts = (round: string) => Array.from({ length: 40 }, (_, n) => `${round}.${n}`);
  const all: string[] = [];
  const put = async (round: string) => {
    all.push(...texts(round));
    await stream.put(texts(round));
  };
  /** Each open shard has a lease, and what was put before and after is stored once. */
  const readOn = async (round: string) => {
    await put(`${round}, after`);
    const open = (await stream.open()).map(({ ShardId = '' }) => ShardId).sort();
    await until(() => host.inbox.stored.length === all.length);
    await until(async () => (await host.leased()).join() === open.join());
    expect(host.inbox.stored.toSorted()).toEqual(all.toSorted());
    return open.length;
  };

  test('split, UpdateShardCount, merge', async () => {
    await put('first');
    host.start('a');
    await until(() => host.inbox.stored.length === all.length);
    const half = (2n ** 127n).toString();
    const [only] = await stream.open();
    await stream.send(
      new SplitShardCommand({ StreamName, ShardToSplit: only?.ShardId, NewStartingHashKey: half }),
    );
    await stream.active();
    expect(await readOn('split')).toBe(2);
    await stream.send(
      new UpdateShardCountCommand({ StreamName, TargetShardCount: 4, ScalingType: 'UNIFORM_SCALING' }),
    );
    await stream.active();
    expect(await readOn('four')).toBe(4);
    const byKey = (await stream.open()).sort((a, b) =>
      BigInt(a.HashKeyRange?.StartingHashKey ?? 0) < BigInt(b.HashKeyRange?.StartingHashKey ?? 0) ? -1 : 1,
    );
    const [left, right] = byKey.map(({ ShardId }) => ShardId);
    await stream.send(
      new MergeShardsCommand({ StreamName, ShardToMerge: left, AdjacentShardToMerge: right }),
    );
    await stream.active();
    expect(await readOn('merged')).toBe(3);
    expect(host.alarms.raised).toEqual([]);
  });

  test('positions: the oldest record, after a record, and a time', async () => {
    const kinesis = await openKinesis(settings, stream.endpoint());
    const [shard = ''] = await host.leased();
    const first = await kinesis.read(await kinesis.iterator(shard, 'trim_horizon', never), 1, never);
    expect(first.records).toHaveLength(1);
    const sequence = first.records[0]?.sequence ?? '';
    const rest = await kinesis.read(await kinesis.iterator(shard, { after: sequence }, never), 1_000, never);
    expect(rest.records.map((record) => record.sequence)).not.toContain(sequence);
    const early = { at: new Date(Date.now() - 3_600_000) };
    const sinceEarly = await kinesis.read(await kinesis.iterator(shard, early, never), 1_000, never);
    expect(sinceEarly.records).toHaveLength(rest.records.length + 1);
    expect(await kinesis.retentionMs(never)).toBe(24 * 3_600_000);
    kinesis.close();
  });

  test('what does not exist is gone', async () => {
    const kinesis = await openKinesis({ ...settings, stream: 'another' }, stream.endpoint());
    expect(faultOf(await kinesis.shards(never).catch((error: unknown) => error))).toBe('gone');
    kinesis.close();
  });
});

describe('load (kinesalite)', () => {
  const stream = withStream('kinesalite', 2);
  const host = recorders(stream.endpoint);

  test('two processes read two shards: each record once, and the counters of each shard add up', async () => {
    const texts = Array.from({ length: 4_000 }, (_, n) => (n % 100 === 0 ? `!broken ${n}` : `e${n}`));
    host.start('a');
    host.start('b');
    await stream.put(texts);
    await until(() => host.inbox.stored.length + host.inbox.setAside.length >= texts.length);
    expect(host.inbox.stored).toHaveLength(3_960);
    expect(new Set(host.inbox.setAside).size).toBe(40);
    expect(host.inbox.counts.size).toBe(2);
    for (const { read, stored, duplicate, setAside } of host.inbox.counts.values())
      expect(read).toBe(stored + duplicate + setAside);
    expect(await host.leased()).toHaveLength(2);
  });
});
