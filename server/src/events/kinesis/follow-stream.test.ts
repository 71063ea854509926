import { until } from '../../../../test/support/until.ts';
import type { Db } from '../../db/db.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { type FollowDeps, followStream } from './follow-stream.ts';
import { createLeases } from './leases.ts';
import { pause } from './pace.ts';
import { fakeAlarms, fakeInbox, gate } from './testing/fake-inbox.ts';
import { awsError, fakeKinesis } from './testing/fake-kinesis.ts';
import { testPace } from './testing/test-pace.ts';

const S = (n: number) => `shardId-${n}`;

onEachEngine('the reading of a stream', (openDatabase) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase();
    await migrate(database.db);
  });
  afterAll(() => database.drop());

  let kinesis: ReturnType<typeof fakeKinesis>;
  let inbox: ReturnType<typeof fakeInbox>;
  let alarms: ReturnType<typeof fakeAlarms>;
  let stops: (() => Promise<void>)[];
  beforeEach(async () => {
    await database.db.query('TRUNCATE shard_leases, stream_readers');
    kinesis = fakeKinesis();
    inbox = fakeInbox();
    alarms = fakeAlarms();
    stops = [];
  });
  afterEach(async () => {
    await Promise.all(stops.map((stop) => stop()));
  });

  const log = { info: () => undefined, warn: () => undefined };

  /** A process that reads the stream; `die` ends it without a word to the database. */
  function begin(
    owner: string,
    { db = database.db, pace = testPace, ...more }: Partial<FollowDeps> & { db?: Db } = {},
  ) {
    let isDead = false;
    const dying: Db = {
      ...db,
      query: (...query) => (isDead ? Promise.reject(new Error('dead')) : db.query(...query)),
      routine: (...query) => (isDead ? Promise.reject(new Error('dead')) : db.routine(...query)),
    };
    const connected = kinesis.connect();
    const ending = new AbortController();
    const ended = followStream(
      {
        ...{ owner, pace, pause, log, start: 'trim_horizon' as const },
        ...{ alarms: alarms.alarms, inbox: inbox.inbox, leases: createLeases(dying, 's', owner, pace) },
        kinesis: {
          ...connected,
          read: (...call) => (isDead ? Promise.reject(awsError('TimeoutError')) : connected.read(...call)),
        },
        ...more,
      },
      ending.signal,
    );
    const stop = async () => {
      ending.abort();
      await ended.catch((error: unknown) => {
        if (!isDead) throw error;
      });
    };
    stops.push(stop);
    return {
      stop,
      die() {
        isDead = true;
      },
    };
  }

  const owners = async (): Promise<Record<string, string | null>> => {
    const rows = await database.db.query<{ shard: string; owner: string | null }>(
      `SELECT shard, owner FROM shard_leases WHERE state = 'open' ORDER BY shard`,
    );
    return Object.fromEntries(rows.map(({ shard, owner }) => [shard, owner]));
  };
  const countsAddUp = () => {
    for (const { read, stored, duplicate, setAside } of inbox.counts.values())
      expect(read).toBe(stored + duplicate + setAside);
  };

  test('one process reads every shard, and leaves its leases free', async () => {
    for (const n of [1, 2, 3]) {
      kinesis.open(S(n));
      kinesis.put(S(n), `${n}a`, `${n}b`);
    }
    const { stop } = begin('a');
    await until(() => inbox.stored.length === 6);
    await until(async () => Object.values(await owners()).every((owner) => owner === 'a'));
    await stop();
    expect(await owners()).toEqual({ [S(1)]: null, [S(2)]: null, [S(3)]: null });
    expect(await database.db.query('SELECT * FROM stream_readers')).toEqual([]);
    countsAddUp();
  });

  test('the next process continues after the checkpoints', async () => {
    kinesis.open(S(1));
    kinesis.put(S(1), 'a', 'b');
    const first = begin('a');
    await until(() => inbox.stored.length === 2);
    await first.stop();
    kinesis.put(S(1), 'c');
    begin('b');
    await until(() => inbox.stored.length === 3);
    expect(inbox.counts.get(S(1))).toEqual({ read: 3, stored: 3, duplicate: 0, setAside: 0 });
  });

  test('after a split every open shard has a lease, and the children are read after their parent', async () => {
    kinesis.open(S(1));
    kinesis.put(S(1), 'p1');
    let isBlocked = true;
    inbox.before = async () => {
      if (isBlocked) throw new Error('away');
    };
    begin('a');
    await until(async () => (await owners())[S(1)] === 'a');
    kinesis.split(S(1), S(2), S(3));
    kinesis.put(S(2), 'c2');
    kinesis.put(S(3), 'c3');
    await until(async () => {
      const now = await owners();
      return now[S(2)] === 'a' && now[S(3)] === 'a';
    });
    expect(kinesis.iterators.filter((asked) => !asked.startsWith(S(1)))).toEqual([]);
    isBlocked = false;
    await until(() => inbox.stored.length === 3);
    expect(inbox.stored[0]).toBe('p1');
    expect(Object.keys(await owners())).toEqual([S(2), S(3)]);
  });

  test('a merge: the child begins when both parents are read', async () => {
    kinesis.open(S(1));
    kinesis.open(S(2));
    kinesis.put(S(1), 'a');
    kinesis.put(S(2), 'b');
    kinesis.close(S(1));
    kinesis.close(S(2));
    kinesis.open(S(3), [S(1), S(2)]);
    kinesis.put(S(3), 'c');
    begin('a');
    await until(() => inbox.stored.length === 3);
    expect(inbox.stored[2]).toBe('c');
  });

  test('a second process takes its share, and what it takes is read on', async () => {
    for (const n of [1, 2, 3, 4]) kinesis.open(S(n));
    begin('a');
    await until(async () => Object.values(await owners()).filter((owner) => owner === 'a').length === 4);
    begin('b');
    await until(async () => Object.values(await owners()).filter((owner) => owner === 'b').length === 2);
    for (const n of [1, 2, 3, 4]) kinesis.put(S(n), `e${n}`);
    await until(() => inbox.stored.length === 4);
    countsAddUp();
  });

  test('the shards of a process that has died are read on by the other, and nothing is lost', async () => {
    const pace = { ...testPace, leaseMs: 500 };
    for (const n of [1, 2]) kinesis.open(S(n));
    const first = begin('a', { pace });
    begin('b', { pace });
    await until(async () => new Set(Object.values(await owners())).size === 2);
    const texts = [1, 2].flatMap((n) => Array.from({ length: 200 }, (_, at) => `${n}.${at}`));
    for (const text of texts) kinesis.put(S(Number(text[0])), text);
    await until(() => inbox.stored.length > 20);
    first.die();
    await until(async () => Object.values(await owners()).every((owner) => owner === 'b'));
    await until(() => inbox.stored.length === texts.length);
    expect(inbox.stored.toSorted()).toEqual(texts.toSorted());
    countsAddUp();
  });

  test('an owner that was slow writes no checkpoint over that of its successor', async () => {
    kinesis.open(S(1));
    kinesis.put(S(1), 'a');
    const storing = gate();
    let asked = 0;
    inbox.before = () => {
      asked += 1;
      return asked === 1 ? storing.promise : Promise.resolve();
    };
    const first = begin('a', { pace: { ...testPace, leaseMs: 300 } });
    await until(() => asked === 1);
    first.die();
    begin('b');
    await until(() => inbox.stored.length === 1);
    kinesis.put(S(1), 'b');
    const checkpoint = async () =>
      (await database.db.query<{ checkpoint: string }>('SELECT checkpoint FROM shard_leases'))[0]?.checkpoint;
    await until(async () => (await checkpoint()) === '3');
    storing.resolve();
    await first.stop();
    expect(await checkpoint()).toBe('3');
    expect(inbox.counts.get(S(1))).toMatchObject({ stored: 2, duplicate: 1 });
  });

  test('a shard whose reader is stuck is taken again: an alarm, a new reader, and its end resolves the alarm', async () => {
    kinesis.open(S(1));
    kinesis.open(S(2));
    kinesis.put(S(1), 'a');
    kinesis.put(S(2), 'b');
    let hangs = 2;
    kinesis.before = (call, shard) => {
      if (call !== 'read' || shard !== S(1) || hangs === 0) return Promise.resolve();
      hangs -= 1;
      // It heeds no signal.
      return new Promise(() => undefined);
    };
    const raised = until(() => alarms.raised.length > 0);
    begin('a', { pace: { ...testPace, silentMs: 500 } });
    await until(() => inbox.stored.includes('b'));
    await raised;
    expect(alarms.raised[0]).toBe(`shard_silent ${S(1)}`);
    await until(() => inbox.stored.includes('a'));
    await until(() => alarms.open.size === 0);
    expect(alarms.raised.filter((name) => name.endsWith(S(2)))).toEqual([]);
    const [row] = await database.db.query<{ counter: number }>(
      'SELECT counter FROM shard_leases WHERE shard = $1',
      [S(1)],
    );
    expect(row?.counter).toBe(3);
  });

  test('a shard that the process may not read: the alarm of it names the refusal', async () => {
    kinesis.open(S(1));
    kinesis.before = async (call) => {
      if (call === 'read') throw awsError('AccessDeniedException');
    };
    begin('a', { pace: { ...testPace, silentMs: 300 } });
    await until(() => alarms.open.size > 0);
    expect(alarms.open.get(`shard_silent ${S(1)}`)).toBe(
      `${S(1)}: a has not read it for 0.3 s (AccessDeniedException); it is taken again`,
    );
  });

  test('a shard that is stuck at another living process is taken from it', async () => {
    kinesis.open(S(1));
    kinesis.put(S(1), 'a');
    begin('a', { kinesis: { ...kinesis.connect(), read: () => Promise.reject(awsError('TimeoutError')) } });
    await until(async () => (await owners())[S(1)] === 'a');
    begin('b', { pace: { ...testPace, silentMs: 300 } });
    await until(() => inbox.stored.length === 1);
    expect(await owners()).toEqual({ [S(1)]: 'b' });
    await until(() => alarms.open.size === 0);
    expect(alarms.raised).toEqual([`shard_silent ${S(1)}`]);
  });

  test('a stream that cannot be listed is an alarm, which the next listing resolves', async () => {
    kinesis.open(S(1));
    kinesis.put(S(1), 'a');
    let isRefused = true;
    kinesis.before = async (call) => {
      if (isRefused && call === 'shards') throw awsError('AccessDeniedException');
    };
    begin('a');
    await until(() => alarms.open.size === 1);
    expect(alarms.open.get('stream_unreadable')).toBe('Kinesis answers AccessDeniedException');
    isRefused = false;
    await until(() => alarms.open.size === 0);
    await until(() => inbox.stored.length === 1);
    expect(alarms.raised).toHaveLength(1);
  });

  test('an alarm of a stream that could not be listed before the restart is resolved too', async () => {
    kinesis.open(S(1));
    await alarms.alarms.raise('stream_unreadable', undefined, 'of before');
    begin('a');
    await until(() => alarms.open.size === 0);
  });

  test('while the database is away a reader stops in time, and continues after its checkpoint', async () => {
    kinesis.open(S(1));
    kinesis.put(S(1), 'a');
    let isAway = false;
    const { db } = database;
    const away: Db = {
      ...db,
      query: (...query) => (isAway ? Promise.reject(new Error('away')) : db.query(...query)),
      routine: (...query) => (isAway ? Promise.reject(new Error('away')) : db.routine(...query)),
    };
    begin('a', { db: away, pace: { ...testPace, leaseMs: 300 } });
    await until(() => inbox.stored.length === 1);
    await until(
      async () => (await db.query(`SELECT 1 FROM shard_leases WHERE checkpoint IS NOT NULL`)).length === 1,
    );
    isAway = true;
    await until(async () => (await createLeases(db, 's', 'x', testPace).look()).shards[0]?.isFree === true);
    let reads = 0;
    kinesis.before = async (call) => {
      if (call === 'read') reads += 1;
    };
    await until(async () => {
      const before = reads;
      await pause(20, new AbortController().signal);
      return reads === before;
    });
    kinesis.put(S(1), 'b');
    isAway = false;
    await until(() => inbox.stored.length === 2);
    expect(kinesis.iterators).toEqual([`${S(1)} trim_horizon`, `${S(1)} after 2`]);
    expect(inbox.counts.get(S(1))).toMatchObject({ read: 2, stored: 2 });
  });
});
