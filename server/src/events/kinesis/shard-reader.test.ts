import { until } from '../../../../test/support/until.ts';
import type { Lease } from './leases.ts';
import { pause } from './pace.ts';
import { type ShardReader, startReader } from './shard-reader.ts';
import { fakeAlarms, fakeInbox, gate } from './testing/fake-inbox.ts';
import { awsError, fakeKinesis } from './testing/fake-kinesis.ts';
import { testPace } from './testing/test-pace.ts';

const shard = 'shardId-000000000000';

/** A reader over a stream in memory, and the row of its lease. */
function setup() {
  const kinesis = fakeKinesis();
  kinesis.open(shard);
  const inbox = fakeInbox();
  const alarms = fakeAlarms();
  const row = { checkpoints: [] as string[], state: 'open', isMine: true };
  const logged: object[] = [];
  const log = { info: () => undefined, warn: (fields: object) => void logged.push(fields) };
  const leases = {
    async checkpoint(_: Lease, sequence: string) {
      if (row.isMine) row.checkpoints.push(sequence);
      return row.isMine;
    },
    async drained() {
      if (row.isMine) row.state = 'drained';
      return row.isMine;
    },
  };
  const readers: ShardReader[] = [];
  const start = (lease: Partial<Lease> = {}, pace = testPace) => {
    const reader = startReader(
      { shard, counter: 1, ...lease },
      {
        ...{ kinesis: kinesis.connect(), inbox: inbox.inbox, leases, alarms: alarms.alarms },
        pace,
        pause,
        log,
      },
    );
    readers.push(reader);
    return reader;
  };
  return { kinesis, inbox, alarms, row, logged, start, readers };
}
let at: ReturnType<typeof setup>;
beforeEach(() => {
  at = setup();
});
afterEach(async () => {
  for (const reader of at.readers) reader.stop();
  await Promise.all(at.readers.map(({ ended }) => ended));
});

/** Resolves once the reader has asked for records `times` more. */
async function reads(times: number): Promise<void> {
  let seen = 0;
  const { before } = at.kinesis;
  at.kinesis.before = async (call, ...more) => {
    if (call === 'read') seen += 1;
    return before(call, ...more);
  };
  await until(() => seen >= times);
}

test('records are stored in their order, page by page, and the checkpoint follows', async () => {
  const texts = Array.from({ length: 25 }, (_, n) => `e${n}`);
  at.kinesis.put(shard, ...texts);
  const reader = at.start();
  await until(() => at.inbox.stored.length === 25);
  expect(at.inbox.stored).toEqual(texts);
  await until(() => at.row.checkpoints.length === 3);
  expect(at.inbox.counts.get(shard)).toEqual({ read: 25, stored: 25, duplicate: 0, setAside: 0 });
  at.kinesis.put(shard, 'later');
  await until(() => at.inbox.stored.includes('later'));
  await until(() => at.row.checkpoints.length === 4);
  expect(reader.progress()).toMatchObject({ readAgeMs: expect.any(Number), behindMs: 0 });
});

test('while the inbox stores a page, its checkpoint is not written', async () => {
  const storing = gate();
  let isAsked = false;
  at.inbox.before = () => {
    isAsked = true;
    return storing.promise;
  };
  at.kinesis.put(shard, 'a');
  at.start();
  await until(() => isAsked);
  await new Promise(setImmediate);
  expect(at.row.checkpoints).toEqual([]);
  storing.resolve();
  await until(() => at.row.checkpoints.length === 1);
});

test('a page that could not be stored is stored by a later try, before anything behind it', async () => {
  let failures = 3;
  at.inbox.before = async () => {
    failures -= 1;
    if (failures >= 0) throw new Error('the database is away');
  };
  at.kinesis.put(shard, ...Array.from({ length: 15 }, (_, n) => `e${n}`));
  at.start();
  await until(() => at.inbox.stored.length === 15);
  expect(at.inbox.stored[0]).toBe('e0');
  expect(at.inbox.counts.get(shard)).toMatchObject({ read: 15, stored: 15 });
  expect(at.logged).toHaveLength(1);
});

test('it continues after the checkpoint, also if nothing has come since', async () => {
  at.kinesis.put(shard, 'a', 'b');
  at.start({ checkpoint: '2' });
  await until(() => at.inbox.stored.length === 1);
  expect(at.inbox.stored).toEqual(['b']);
  at.start({ checkpoint: '3' });
  await reads(2);
  expect(at.inbox.stored).toEqual(['b']);
  expect(at.kinesis.iterators).toEqual([`${shard} after 2`, `${shard} after 3`]);
});

test('without a checkpoint it begins at the time of the lease, if that has one', async () => {
  at.kinesis.put(shard, 'before');
  const beginAt = new Date(Date.now() + 1);
  await until(() => Date.now() > beginAt.getTime());
  at.kinesis.put(shard, 'after');
  at.start({ beginAt });
  await until(() => at.inbox.stored.length === 1);
  expect(at.inbox.stored).toEqual(['after']);
});

test('a lost lease ends the reading at once; what was stored twice is a duplicate', async () => {
  at.kinesis.put(shard, ...Array.from({ length: 30 }, (_, n) => `e${n}`));
  at.inbox.before = async () => {
    at.row.isMine = false;
  };
  await at.start().ended;
  expect(at.inbox.stored).toHaveLength(10);
  expect(at.row).toMatchObject({ checkpoints: [], state: 'open' });
});

test('a lease that is not prolonged in time ends the reading; one that is does not', async () => {
  const pace = { ...testPace, leaseMs: 50 };
  await at.start({}, pace).ended;
  at.kinesis.put(shard, 'a');
  await new Promise(setImmediate);
  expect(at.inbox.stored).toEqual([]);
  const reader = at.start({}, pace);
  reader.prolonged(performance.now() + 3_600_000);
  await until(() => at.inbox.stored.length === 1);
  let hasEnded = false;
  void reader.ended.then(() => {
    hasEnded = true;
  });
  await reads(20);
  expect(hasEnded).toBe(false);
});

test('a closed shard is read to its end, and only then it is drained', async () => {
  at.kinesis.put(shard, ...Array.from({ length: 20 }, (_, n) => `e${n}`));
  at.kinesis.close(shard);
  at.inbox.before = async () => expect(at.row.state).toBe('open');
  await at.start().ended;
  expect(at.inbox.stored).toHaveLength(20);
  expect(at.row).toMatchObject({ state: 'drained', checkpoints: [expect.any(String), expect.any(String)] });
});

test.each(['iterator', 'read'] as const)(
  '%s: throttling, outages and refusals are waited out',
  async (failing) => {
    const errors = [
      'ProvisionedThroughputExceededException',
      'AccessDeniedException',
      'TimeoutError',
      'ECONNRESET',
    ];
    at.kinesis.before = async (call) => {
      const error = call === failing && errors.shift();
      if (error) throw awsError(error);
    };
    at.kinesis.put(shard, 'a');
    at.start();
    await until(() => at.inbox.stored.length === 1);
    expect(errors).toEqual([]);
    expect(at.alarms.raised).toEqual([]);
  },
);

test('an iterator that has expired is replaced by one after the checkpoint', async () => {
  at.kinesis.put(shard, 'a');
  at.start();
  await until(() => at.row.checkpoints.length === 1);
  let isExpired = true;
  at.kinesis.before = async (call) => {
    if (call !== 'read' || !isExpired) return;
    isExpired = false;
    throw awsError('ExpiredIteratorException');
  };
  await until(() => !isExpired);
  at.kinesis.put(shard, 'b');
  await until(() => at.inbox.stored.length === 2);
  expect(at.inbox.counts.get(shard)).toMatchObject({ read: 2, stored: 2 });
  expect(at.kinesis.iterators).toEqual([`${shard} trim_horizon`, `${shard} after 2`]);
});

test('a checkpoint that the stream does not know: it begins with the oldest record, and an alarm names the period', async () => {
  at.kinesis.open('shardId-000000000001');
  at.kinesis.put('shardId-000000000001', 'a');
  const reader = startReader.bind(undefined, {
    shard: 'shardId-000000000001',
    counter: 1,
    checkpoint: '0',
    readToAgeMs: 60_000,
  });
  const { kinesis, inbox, alarms } = at;
  const one = reader({
    ...{ kinesis: kinesis.connect(), inbox: inbox.inbox, alarms: alarms.alarms, pace: testPace, pause },
    leases: { checkpoint: async () => true, drained: async () => true },
    log: { info: () => undefined, warn: () => undefined },
  });
  at.readers.push(one);
  await until(() => inbox.stored.length === 1);
  expect(alarms.open.get('events_lost shardId-000000000001')).toMatch(
    /^shardId-000000000001: from 20\d\d-.*Z to 20\d\d-.*Z: the stream does not know the checkpoint$/,
  );
});

test('a checkpoint that is older than the retention: an alarm names the period; within the retention there is none', async () => {
  at.kinesis.retentionHours = 48;
  at.kinesis.put(shard, 'a', 'b');
  const day = 24 * 3_600_000;
  at.start({ checkpoint: '2', readToAgeMs: 1.9 * day });
  await until(() => at.inbox.stored.length === 1);
  expect(at.alarms.raised).toEqual([]);
  at.start({ checkpoint: '2', readToAgeMs: 3 * day });
  await until(() => at.alarms.raised.length === 1);
  const [, from = '', to = ''] =
    /from (\S+) to (\S+): the stream no longer keeps/.exec(
      at.alarms.open.get(`events_lost ${shard}`) ?? '',
    ) ?? [];
  expect(Date.parse(to) - Date.parse(from)).toBeCloseTo(day, -4);
});

test('without the right to ask for the retention, the shortest one counts, and the shard is read', async () => {
  at.kinesis.put(shard, 'a');
  at.kinesis.before = async (call) => {
    if (call === 'retentionMs') throw awsError('AccessDeniedException');
  };
  at.start({ checkpoint: '1', readToAgeMs: 25 * 3_600_000 });
  await until(() => at.inbox.stored.length === 1);
  expect(at.alarms.raised).toEqual([`events_lost ${shard}`]);
});

test('a shard that no longer exists is drained, with an alarm, so that its children can begin', async () => {
  at.kinesis.forget(shard);
  await at.start({ checkpoint: '1', readToAgeMs: 1_000 }).ended;
  expect(at.row.state).toBe('drained');
  expect(at.alarms.open.get(`events_lost ${shard}`)).toMatch(/the shard no longer exists/);
});

test('while the whole stream is away, no shard of it counts as gone', async () => {
  let isAway = true;
  let tries = 0;
  at.kinesis.before = async (call) => {
    if (call === 'iterator') tries += 1;
    if (isAway) throw awsError('ResourceNotFoundException');
  };
  at.kinesis.put(shard, 'a');
  at.start();
  await until(() => tries > 3);
  expect(at.row.state).toBe('open');
  isAway = false;
  await until(() => at.inbox.stored.length === 1);
  expect(at.alarms.raised).toEqual([]);
});

test('a shard that is listed is not gone, whatever one answer says', async () => {
  let tries = 0;
  at.kinesis.before = async (call) => {
    if (call !== 'iterator') return;
    tries += 1;
    if (tries < 3) throw awsError('ResourceNotFoundException');
  };
  at.kinesis.put(shard, 'a');
  at.start();
  await until(() => at.inbox.stored.length === 1);
  expect(at.row.state).toBe('open');
  expect(at.alarms.raised).toEqual([]);
});

test('broken, binary and aggregated records are given to the inbox, which sets them aside', async () => {
  const aggregated = Buffer.from([0xf3, 0x89, 0x9a, 0xc2, 0x0a, 0x00]);
  at.kinesis.put(shard, '!broken', 'a');
  await Promise.all([until(() => at.inbox.stored.length === 1), at.start()]);
  expect(at.inbox.setAside).toEqual(['!broken']);
  const events: unknown[] = [];
  at.inbox.before = async (taken) => void events.push(...taken);
  at.kinesis.put(shard, aggregated.toString('latin1'));
  await until(() => events.length === 1);
  expect(events).toEqual([expect.any(String)]);
  expect(at.inbox.counts.get(shard)).toEqual({ read: 3, stored: 2, duplicate: 0, setAside: 1 });
});

test('the first successful read resolves the alarm of the shard, whichever process raised it', async () => {
  await at.alarms.alarms.raise('shard_silent', shard, 'of before');
  let isHanging = true;
  at.kinesis.before = async (call) => {
    if (call === 'read' && isHanging) throw awsError('TimeoutError');
  };
  at.start();
  await until(() => at.logged.length > 0);
  expect(at.alarms.open.size).toBe(1);
  isHanging = false;
  await until(() => at.alarms.open.size === 0);
});

test('stop ends a read that waits', async () => {
  let isReading = false;
  at.kinesis.before = (call, _, signal) => {
    if (call !== 'read') return Promise.resolve();
    isReading = true;
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const reader = at.start();
  await until(() => isReading);
  reader.stop();
  await reader.ended;
  expect(at.logged).toEqual([]);
});
