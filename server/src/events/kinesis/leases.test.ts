import { until } from '../../../../test/support/until.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import type { ListedShard } from './kinesis.ts';
import { createLeases, type Lease, type Leases, type ShardState } from './leases.ts';

const times = { leaseMs: 3_600_000, silentMs: 3_600_000 };
const listed = (shard: string, more: Partial<ListedShard> = {}): ListedShard => ({
  ...{ shard, parents: [], firstSequence: shard, isClosed: false, ...more },
});

onEachEngine('leases of shards', (openDatabase) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.query('TRUNCATE shard_leases, stream_readers'));

  const of = (owner: string, stream = 's', own = times): Leases =>
    createLeases(database.db, stream, owner, own);
  const stateOf = async (shard: string, leases = of('looker')): Promise<ShardState> => {
    const found = (await leases.look()).shards.find((one) => one.shard === shard);
    if (!found) throw new Error(`no ${shard}`);
    return found;
  };
  const take = async (leases: Leases, shard: string, force = false): Promise<Lease> => {
    const lease = await leases.take(await stateOf(shard, leases), force);
    if (!lease) throw new Error(`${shard} was not taken`);
    return lease;
  };
  const row = async (shard: string, stream = 's') => {
    const [found] = await database.db.query<Record<string, unknown>>(
      'SELECT * FROM shard_leases WHERE stream = $1 AND shard = $2',
      [stream, shard],
    );
    return found;
  };

  test('a stream begins with its oldest record, closed shards too; another stream is another one', async () => {
    await of('a').note([listed('1', { isClosed: true }), listed('2', { parents: ['1'] })], 'trim_horizon');
    await of('a', 't').note([listed('1')], 'trim_horizon');
    expect((await of('a').look()).shards.map(({ shard, isReady }) => [shard, isReady])).toEqual([
      ['1', true],
      ['2', false],
    ]);
    expect(await take(of('a'), '1')).toEqual({ shard: '1', counter: 1 });
    expect((await of('a', 't').look()).shards).toHaveLength(1);
  });

  test('with latest it begins at the time of the first listing, and what is closed by then counts as read; later shards begin with their oldest record', async () => {
    const first = [listed('1', { isClosed: true }), listed('2', { parents: ['1'] })];
    await of('a').note(first, 'latest');
    await of('a').note([...first, listed('3', { parents: ['2'] })], 'latest');
    expect((await of('a').look()).shards.map(({ shard, isReady }) => [shard, isReady])).toEqual([
      ['2', true],
      ['3', false],
    ]);
    const lease = await take(of('a'), '2');
    expect(lease.beginAt).toBeInstanceOf(Date);
    await of('a').drained(lease);
    expect((await take(of('a'), '3')).beginAt).toBeUndefined();
  });

  test('of two processes that see the same, one takes a lease', async () => {
    await of('a').note([listed('1')], 'trim_horizon');
    const seen = await stateOf('1');
    const takers = await Promise.all([of('a').take(seen, false), of('b').take(seen, false)]);
    expect(takers.filter(Boolean)).toHaveLength(1);
    const forcers = await Promise.all([of('a').take(seen, true), of('b').take(seen, true)]);
    expect(forcers).toEqual([undefined, undefined]);
  });

  test('a lease that was prolonged since it was seen as expired is not taken', async () => {
    const short = of('a', 's', { ...times, leaseMs: 1 });
    await short.note([listed('1')], 'trim_horizon');
    const lease = await take(short, '1');
    await until(async () => (await stateOf('1')).isFree);
    const seen = await stateOf('1');
    await of('a').beat([{ lease, readAgeMs: 0, behindMs: 0, perSecond: 0 }]);
    expect(await of('b').take(seen, false)).toBeUndefined();
    expect((await stateOf('1')).owner).toBe('a');
  });

  test('the clock was set back by hours: leases and processes of the time before do not last for hours', async () => {
    const dead = of('dead', 's', { ...times, leaseMs: 10_000 });
    await dead.note([listed('1')], 'trim_horizon');
    await dead.beat([]);
    await take(dead, '1');
    const successor = of('successor', 's', { ...times, leaseMs: 10_000 });
    expect(await stateOf('1', successor)).toMatchObject({ isFree: false });
    await database.db.query(
      `UPDATE shard_leases SET expires_at = expires_at + interval '5 hours', taken_at = now() + interval '5 hours';
       UPDATE stream_readers SET expires_at = expires_at + interval '5 hours'`,
    );
    expect(await successor.look()).toMatchObject({ shards: [{ isFree: true }], owners: [] });
    expect(await take(successor, '1')).toMatchObject({ counter: 2 });
  });

  test('an owner of before writes nothing: neither a checkpoint nor an end, nor does it release or prolong', async () => {
    await of('a').note([listed('1')], 'trim_horizon');
    const lease = await take(of('a'), '1');
    expect(await of('a').checkpoint(lease, '10', 0)).toBe(true);
    const next = await take(of('b'), '1', true);
    expect(next).toMatchObject({ counter: 2, checkpoint: '10', readToAgeMs: expect.any(Number) });
    expect(await of('a').checkpoint(lease, '99', 0)).toBe(false);
    expect(await of('a').drained(lease)).toBe(false);
    await of('a').release(lease);
    expect(await of('a').beat([{ lease, readAgeMs: 0, behindMs: 5, perSecond: 0 }])).toEqual(new Set());
    expect(await row('1')).toMatchObject({ owner: 'b', checkpoint: '10', behind_ms: 0, state: 'open' });
    expect(await of('b').beat([{ lease: next, readAgeMs: 0, behindMs: 5, perSecond: 2 }])).toEqual(
      new Set(['1']),
    );
    expect(await row('1')).toMatchObject({ behind_ms: 5, per_second: 2 });
    expect(await of('b').checkpoint(next, '11', 0)).toBe(true);
  });

  test('even the same process, having taken its lease again, has no use of the lease of before', async () => {
    await of('a').note([listed('1')], 'trim_horizon');
    const lease = await take(of('a'), '1');
    await take(of('a'), '1', true);
    expect(await of('a').checkpoint(lease, '1', 0)).toBe(false);
  });

  test('children are ready when every parent is read to its end', async () => {
    await of('a').note(
      [
        listed('1', { isClosed: true }),
        listed('2', { isClosed: true }),
        listed('3', { parents: ['1', '2'] }),
      ],
      'trim_horizon',
    );
    for (const [parent, ready] of [
      ['1', false],
      ['2', true],
    ] as const) {
      await of('a').drained(await take(of('a'), parent));
      expect((await stateOf('3')).isReady).toBe(ready);
    }
  });

  test('a shard of the same name in a stream that was made again begins again, and its reader of before writes nothing', async () => {
    await of('a').note([listed('1'), listed('2')], 'trim_horizon');
    const lease = await take(of('a'), '1');
    await of('a').checkpoint(lease, '10', 0);
    await of('a').drained(await take(of('a'), '2'));
    await of('a').note(
      [listed('1', { firstSequence: '50' }), listed('2', { firstSequence: '50' })],
      'latest',
    );
    expect(await of('a').checkpoint(lease, '11', 0)).toBe(false);
    expect((await of('a').look()).shards.map(({ shard, isFree }) => [shard, isFree])).toEqual([
      ['1', true],
      ['2', true],
    ]);
    expect(await take(of('a'), '1')).toEqual({ shard: '1', counter: 3 });
  });

  test('a shard that is read to its end is kept while Kinesis lists it', async () => {
    await of('a').note([listed('1'), listed('2')], 'trim_horizon');
    await of('a').drained(await take(of('a'), '1'));
    await of('a').note([listed('1'), listed('2')], 'trim_horizon');
    expect((await of('a').look()).shards.map(({ shard }) => shard)).toEqual(['2']);
    await of('a').note([], 'trim_horizon');
    expect(await row('1')).toBeUndefined();
    // Not read yet: its reader finds out.
    expect(await row('2')).toBeDefined();
  });

  test('a process is alive from its first beat, without shards too, until it leaves or its beats end', async () => {
    await of('a').beat([]);
    await of('b').beat([]);
    await of('c', 's', { ...times, leaseMs: 1 }).beat([]);
    await of('d', 't').beat([]);
    await until(async () => (await of('a').look()).owners.length === 2);
    expect((await of('a').look()).owners).toEqual(['a', 'b']);
    await of('b').leave();
    expect((await of('a').look()).owners).toEqual(['a']);
  });

  test('a shard is silent when it is ready and taken, and neither read nor taken for the time of the watchdog', async () => {
    const patient = of('a');
    const watchful = of('a', 's', { ...times, silentMs: 0 });
    await patient.note([listed('1'), listed('2', { parents: ['1'] })], 'trim_horizon');
    expect(await stateOf('1', watchful)).toMatchObject({ isSilent: false, isRead: false });
    const lease = await take(patient, '1');
    const child = await take(patient, '2');
    expect(await stateOf('1', patient)).toMatchObject({ isSilent: false, isRead: false });
    expect(await stateOf('1', watchful)).toMatchObject({ isSilent: true, isRead: false });
    expect(await stateOf('2', watchful)).toMatchObject({ isReady: false, isSilent: false });
    await patient.checkpoint(lease, '1', 0);
    expect(await stateOf('1', patient)).toMatchObject({ isSilent: false, isRead: true });
    // It waited for its parent, not for its reader: the parent's end counts.
    await database.db.query(`UPDATE shard_leases SET taken_at = now() - interval '1 day'`);
    await patient.drained(lease);
    expect(await stateOf('2', of('a', 's', { ...times, silentMs: 60_000 }))).toMatchObject({
      isReady: true,
      isSilent: false,
    });
    await patient.release(child);
    expect(await stateOf('2', watchful)).toMatchObject({ isFree: true, isSilent: false });
  });

  test('the last event, or without one the first listing', async () => {
    expect((await of('a').look()).lastEventAt).toBeUndefined();
    await of('a').note([listed('1')], 'trim_horizon');
    const first = (await of('a').look()).lastEventAt;
    const lease = await take(of('a'), '1');
    await of('a').beat([{ lease, readAgeMs: 0, behindMs: 0, perSecond: 0 }]);
    expect((await of('a').look()).lastEventAt).toEqual(first);
    await of('a').checkpoint(lease, '1', 0);
    expect((await of('a').look()).lastEventAt?.getTime()).toBeGreaterThan(first?.getTime() ?? 0);
  });
});
