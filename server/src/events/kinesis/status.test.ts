import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { readStatus } from '../status-part.ts';
import { createLeases, type Lease } from './leases.ts';
import { readerStatus, shardStatus } from './status.ts';

onEachEngine('the status of shards and nodes', (openDatabase) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase();
    await migrate(database.db);
  });
  afterAll(() => database.drop());

  test('who reads what, how far, and who waits', async () => {
    const { db } = database;
    const times = { leaseMs: 3_600_000, silentMs: 3_600_000 };
    const a = createLeases(db, 'r/s', 'a', times);
    const shard = (name: string, parents: string[] = []) => ({
      ...{ shard: name, parents, firstSequence: name, isClosed: false },
    });
    await a.note([shard('1'), shard('2'), shard('3', ['2']), shard('4')], 'trim_horizon');
    const leases: Lease[] = [];
    for (const seen of (await a.look()).shards.slice(0, 3)) {
      const lease = await a.take(seen, false);
      if (lease) leases.push(lease);
    }
    const [first, second, third] = leases as [Lease, Lease, Lease];
    const progress = { readAgeMs: undefined, behindMs: 0, perSecond: 0 };
    await a.checkpoint(first, '1', 0);
    await a.beat([
      { lease: first, readAgeMs: 65_000, behindMs: 1_500, perSecond: 12.34 },
      { lease: second, ...progress },
      { lease: third, ...progress },
    ]);
    await createLeases(db, 'r/s', 'standby', times).beat([]);
    const [shards, nodes] = await readStatus([shardStatus, readerStatus], db);
    const unread = { behindMs: null, readSeconds: null, checkpointSeconds: null, perSecond: 0 };
    expect(shards?.rows).toEqual([
      {
        ...{ stream: 'r/s', shard: '1', state: 'taken', owner: 'a', behindMs: 1_500, perSecond: 12.3 },
        ...{ readSeconds: 65, checkpointSeconds: expect.any(Number) },
      },
      { stream: 'r/s', shard: '2', state: 'taken', owner: 'a', ...unread },
      { stream: 'r/s', shard: '3', state: 'waits for its parents', owner: 'a', ...unread },
      { stream: 'r/s', shard: '4', state: 'free', owner: null, ...unread },
    ]);
    expect(nodes?.rows).toEqual([
      { stream: 'r/s', owner: 'a', since: expect.any(Date), shards: 3, perSecond: 12.3 },
      { stream: 'r/s', owner: 'standby', since: expect.any(Date), shards: 0, perSecond: 0 },
    ]);
    expect(Object.keys(shards?.rows[0] ?? {}).sort()).toEqual(Object.keys(shardStatus.columns).sort());
  });
});
