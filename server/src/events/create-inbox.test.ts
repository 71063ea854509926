import { randomBytes } from 'node:crypto';
import type { Db } from '../db/db.ts';
import { lockInbox, refuseSids } from '../db/erased-sids.ts';
import { buildIndexes } from '../db/indexes.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import { createInbox } from './create-inbox.ts';
import { hasFollowed } from './event-status.ts';
import type { InboxPosition } from './inbox.ts';
import { createInboxReader } from './inbox-reader.ts';
import { takeBackSetAside } from './take-back.ts';
import { account, cloudEvent, kinesisRecord, sid } from './testing/cloud-events.ts';

jest.setTimeout(60_000);

/** What a test opens when it wants the other side to continue. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
}

const webhook = { source: 'webhook' } as const;

onEachEngine('the inbox', (open) => {
  let database: TestDatabase;
  let db: Db;
  const warned: object[] = [];
  const inboxOf = (one: Db) =>
    createInbox({ db: one, accounts: [account], log: { warn: (fields) => void warned.push(fields) } });

  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
    await buildIndexes(db);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    warned.length = 0;
    await db.query('TRUNCATE agent_events, events_set_aside, event_counters, erased_sids');
  });

  const take = (
    events: readonly unknown[],
    from: Parameters<ReturnType<typeof inboxOf>['take']>[1] = webhook,
  ) => inboxOf(db).take(events, from);
  const ids = async () => (await createInboxReader(db).after(undefined, 1_000)).events.map(({ id }) => id);
  /** Whether a writer waits for the lock of another one. */
  const isWaiting = async () =>
    (await db.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`)).length > 0;
  const counters = () =>
    db.query<Record<string, unknown>>(
      'SELECT source, shard, read, stored, duplicate, set_aside FROM event_counters ORDER BY 1, 2',
    );

  test('an event is read as it came, with its own time', async () => {
    expect(await take([cloudEvent({ n: 1 })])).toEqual({ read: 1, stored: 1, duplicate: 0, setAside: 0 });
    const { events } = await createInboxReader(db).after(undefined, 10);
    expect(events).toEqual([
      {
        id: 'EZ1',
        type: 'com.twilio.taskrouter.reservation.accepted',
        time: new Date(1_780_000_000_001),
        eventSid: sid('EV', 1),
        data: cloudEvent({ n: 1 })['data'],
      },
    ]);
  });

  test('a record of Kinesis is the same event as that of the webhook', async () => {
    await take([cloudEvent({ n: 1 })]);
    expect(await take([kinesisRecord({ n: 1 })], { source: 'kinesis', shard: 's1' })).toMatchObject({
      stored: 0,
      duplicate: 1,
    });
    expect(warned).toEqual([]);
    expect(await counters()).toEqual([
      { source: 'kinesis', shard: 's1', read: 1, stored: 0, duplicate: 1, set_aside: 0 },
      { source: 'webhook', shard: '', read: 1, stored: 1, duplicate: 0, set_aside: 0 },
    ]);
  });

  test.each([
    ['of the same id', [cloudEvent({ n: 1 }), cloudEvent({ n: 1, payload: { x: 2 } })], 1],
    ['of the same SID under another id', [cloudEvent({ n: 1 }), cloudEvent({ n: 1, id: 'other' })], 1],
    [
      'without a SID, of the same type, resource and milliseconds',
      [cloudEvent({ n: 1, eventSid: undefined }), cloudEvent({ n: 1, id: 'other', eventSid: undefined })],
      1,
    ],
    [
      'with a SID, where the other of the same milliseconds has none',
      [cloudEvent({ n: 1 }), cloudEvent({ n: 1, id: 'other', eventSid: undefined })],
      1,
    ],
    [
      'of the same milliseconds with a SID of its own: another event',
      [cloudEvent({ n: 1 }), cloudEvent({ n: 1, id: 'other', eventSid: sid('EV', 2) })],
      2,
    ],
    [
      'of a second that is all it says: another event',
      [
        cloudEvent({ n: 1, eventSid: undefined, payload: { timestamp_ms: null, timestamp: '1780000000' } }),
        cloudEvent({
          n: 1,
          id: 'b',
          eventSid: undefined,
          payload: { timestamp_ms: null, timestamp: '1780000000' },
        }),
      ],
      2,
    ],
  ])('a second event %s', async (_, events, stored) => {
    expect(await take(events)).toMatchObject({ read: 2, stored });
    await db.query('TRUNCATE agent_events');
    for (const event of events) await take([event], { source: 'repair' });
    expect(await ids()).toHaveLength(stored);
  });

  test('the first one stays where the second differs, and the log says how many, by nothing of their content', async () => {
    await take([cloudEvent({ n: 1 })]);
    await take([cloudEvent({ n: 1, payload: { secret: 'content' } })]);
    const { events } = await createInboxReader(db).after(undefined, 10);
    expect(JSON.stringify(events)).not.toContain('content');
    expect(warned).toEqual([{ event: 'events.differ', source: 'webhook', shard: '', count: 1 }]);
  });

  test('what cannot be stored is set aside, once for each record, and does not keep the others out', async () => {
    const broken = [
      '{',
      cloudEvent({ n: 2, id: '' }),
      '{',
      cloudEvent({ n: 3, type: 'com.twilio.studio.x' }),
    ];
    const from = { source: 'kinesis', shard: 's' } as const;
    expect(await take([...broken, cloudEvent({ n: 1 })], from)).toEqual({
      ...{ read: 5, stored: 1, duplicate: 0, setAside: 4 },
    });
    await take(['{'], from);
    expect(
      await db.query('SELECT reason, count::int AS n, type, raw FROM events_set_aside ORDER BY reason'),
    ).toEqual([
      expect.objectContaining({ reason: 'id_unusable', n: 1 }),
      { reason: 'not_json', n: 3, type: null, raw: '{' },
      expect.objectContaining({ reason: 'unknown_type', n: 1, type: 'com.twilio.studio.x' }),
    ]);
  });

  test('characters that PostgreSQL refuses are replaced, in data and in what is set aside', async () => {
    await take([
      cloudEvent({ n: 1, payload: { text: 'a\0b\ud800c', '\0key': '\\u0000', pair: '😀' } }),
      cloudEvent({ n: 2, id: 'x\0y' }),
      'no json \0 \udc00',
    ]);
    const { events } = await createInboxReader(db).after(undefined, 10);
    expect(events[0]?.data['payload']).toMatchObject({
      text: 'a\ufffdb\ufffdc',
      '\ufffdkey': '\\u0000',
      pair: '😀',
    });
    expect(await db.query('SELECT reason FROM events_set_aside ORDER BY reason')).toEqual([
      { reason: 'id_unusable' },
      { reason: 'not_json' },
    ]);
  });

  test('of an event of another account, of content and of an erased call nothing is kept', async () => {
    await refuseSids(db, [sid('WT', 7)]);
    const secret = { note: 'secret' };
    expect(
      await take([
        cloudEvent({ n: 1, payload: { account_sid: sid('AC', 0xb), ...secret } }),
        cloudEvent({ n: 2, type: 'com.twilio.conversations.message.added', payload: secret }),
        cloudEvent({ n: 3, task: 7, payload: secret }),
      ]),
    ).toMatchObject({ stored: 0, setAside: 3 });
    const rows = await db.query<{ reason: string }>('SELECT * FROM events_set_aside ORDER BY reason');
    expect(rows.map(({ reason }) => reason)).toEqual(['content', 'erased', 'other_account']);
    expect(JSON.stringify(rows)).not.toContain('secret');
    expect(JSON.stringify(rows)).not.toContain(sid('WT', 7));
  });

  test("the host's own events are taken from the host alone", async () => {
    const forged = cloudEvent({ n: 1, type: 'flex-custody.report' });
    for (const source of ['webhook', 'kinesis', 'repair'] as const)
      expect(await take([forged], { source })).toMatchObject({ stored: 0, setAside: 1 });
    expect(await inboxOf(db).missing([forged])).toEqual([]);
    await takeBackSetAside({ db, accounts: [account] }, new AbortController().signal);
    expect(await ids()).toEqual([]);
    expect(await db.query('SELECT DISTINCT reason FROM events_set_aside')).toEqual([{ reason: 'own_type' }]);
    expect(await hasFollowed(db)).toBe(true);

    await db.query('TRUNCATE event_counters');
    expect(await take([forged], { source: 'own' })).toMatchObject({ stored: 1 });
    expect(await take([forged], { source: 'own' })).toMatchObject({ stored: 0, duplicate: 1 });
    expect(await ids()).toEqual(['EZ1']);
    // They say nothing about whether Twilio's stream is followed.
    expect(await hasFollowed(db)).toBe(false);
  });

  test('more events than one transaction takes', async () => {
    const many = Array.from({ length: 1_203 }, (_, n) => cloudEvent({ n: n + 1 }));
    expect(await take(many)).toEqual({ read: 1_203, stored: 1_203, duplicate: 0, setAside: 0 });
    let position: InboxPosition | undefined;
    let seen = 0;
    for (;;) {
      const next = await createInboxReader(db).after(position, 500);
      if (next.events.length === 0) break;
      seen += next.events.length;
      position = next.position;
    }
    expect(seen).toBe(1_203);
    expect(await createInboxReader(db).after(position, 500)).toEqual({ events: [], position });
  });

  test('large events are read in smaller batches, each once and in order', async () => {
    const large = (n: number) =>
      cloudEvent({ n, payload: { task_attributes: randomBytes(75_000).toString('hex') } });
    await take(Array.from({ length: 100 }, (_, n) => large(n + 1)));
    const seen: string[] = [];
    let largest = 0;
    let position: InboxPosition | undefined;
    for (;;) {
      const next = await createInboxReader(db).after(position, 500);
      if (next.events.length === 0) break;
      largest = Math.max(largest, next.events.length);
      seen.push(...next.events.map(({ id }) => id));
      position = next.position;
    }
    expect(largest).toBeLessThan(60);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => `EZ${n + 1}`));
  });

  test('events and counters commit together', async () => {
    const failing: Pick<Db, 'transaction'> = {
      transaction: (work, limitMs) =>
        db.transaction(
          (inner) =>
            work({
              ...inner,
              query: async (sql, values) => {
                if (sql.includes('event_counters')) throw new Error('killed');
                return inner.query(sql, values);
              },
            }),
          limitMs,
        ),
    };
    await expect(inboxOf(failing as Db).take([cloudEvent({ n: 1 }), '{'], webhook)).rejects.toThrow('killed');
    expect([await ids(), await counters()]).toEqual([[], []]);
    expect(await db.query('SELECT FROM events_set_aside')).toEqual([]);
  });

  test('a comparison names what would be stored, and stores nothing', async () => {
    await take([cloudEvent({ n: 1 }), cloudEvent({ n: 2 }), cloudEvent({ n: 3, eventSid: undefined })]);
    await refuseSids(db, [sid('WT', 5)]);
    const fresh = cloudEvent({ n: 4 });
    const sameMs = cloudEvent({ n: 1, id: 'b', eventSid: sid('EV', 99) });
    const given = [
      cloudEvent({ n: 1 }),
      cloudEvent({ n: 2, id: 'by its SID' }),
      cloudEvent({ n: 3, id: 'by its milliseconds' }),
      cloudEvent({ n: 5 }),
      '{',
      fresh,
      sameMs,
    ];
    expect(await inboxOf(db).missing(given)).toEqual([fresh, sameMs]);
    expect(await inboxOf(db).missing([])).toEqual([]);
    expect(await ids()).toHaveLength(3);
    expect(await take(given, { source: 'repair' })).toMatchObject({ stored: 2, duplicate: 3, setAside: 2 });
  });

  test('an event that the database refuses is set aside, and the others of its batch are stored', async () => {
    const refusing: Pick<Db, 'transaction'> = {
      transaction: (work, limitMs) =>
        db.transaction(
          (inner) =>
            work({
              ...inner,
              query: async (sql, values) => {
                if (JSON.stringify(values ?? []).includes('poison') && sql.includes('INTO agent_events'))
                  throw Object.assign(new Error('refused'), { code: '22P05' });
                return inner.query(sql, values);
              },
            }),
          limitMs,
        ),
    };
    const batch = [
      cloudEvent({ n: 1 }),
      cloudEvent({ n: 2, payload: { x: 'poison' } }),
      '{',
      cloudEvent({ n: 3 }),
    ];
    expect(await inboxOf(refusing as Db).take(batch, webhook)).toEqual({
      ...{ read: 4, stored: 2, duplicate: 0, setAside: 2 },
    });
    expect(await ids()).toEqual(['EZ1', 'EZ3']);
    expect(await db.query('SELECT reason FROM events_set_aside ORDER BY reason')).toEqual([
      { reason: 'not_json' },
      { reason: 'not_storable' },
    ]);
    expect(await counters()).toMatchObject([{ read: 4, stored: 2, duplicate: 0, set_aside: 2 }]);
  });

  test("a sink's tests are events of their own, though all have the account's SID for an id", async () => {
    const test = (id: string) => ({
      ...{ id: account, type: 'com.twilio.eventstreams.test-event', data: { test_id: id } },
    });
    expect(await take([test('one'), test('two')])).toMatchObject({ stored: 2 });
    const { events } = await createInboxReader(db).after(undefined, 10);
    expect(events.map(({ data }) => data['test_id'])).toEqual(['one', 'two']);
  });

  test('a writer waits for one that has not committed, so no event appears before a position that was read', async () => {
    const another = await database.another?.();
    if (!another) return;
    try {
      const commit = gate();
      const first = gate();
      const slow = another.transaction(async (inner) => {
        const within = { ...inner, transaction: <T>(work: (one: Db) => Promise<T>) => work(inner) };
        await inboxOf(within).take([cloudEvent({ n: 1 })], webhook);
        first.open();
        await commit.opened;
      });
      await first.opened;
      const quick = take([cloudEvent({ n: 2 })]);
      while (!(await isWaiting())) await new Promise(setImmediate);
      // What a reader sees now is a position that must not be overtaken.
      const { events, position } = await createInboxReader(db).after(undefined, 10);
      expect(events).toEqual([]);
      commit.open();
      await Promise.all([slow, quick]);
      const later = await createInboxReader(db).after(position, 10);
      expect(later.events.map(({ id }) => id)).toEqual(['EZ1', 'EZ2']);
    } finally {
      await another.close();
    }
  });

  test('an event that came while its call was being erased is not stored', async () => {
    const another = await database.another?.();
    if (!another) return;
    try {
      const [erased, commit] = [gate(), gate()];
      const erasure = another.transaction(async (inner) => {
        await lockInbox(inner);
        await refuseSids(inner, [sid('WT', 1)]);
        erased.open();
        await commit.opened;
      });
      await erased.opened;
      const taking = take([cloudEvent({ n: 1 }), cloudEvent({ n: 2 })]);
      while (!(await isWaiting())) await new Promise(setImmediate);
      commit.open();
      await erasure;
      expect(await taking).toMatchObject({ stored: 1, setAside: 1 });
      expect(await ids()).toEqual(['EZ2']);
    } finally {
      await another.close();
    }
  });

  test('a writer that waits too long stores nothing', async () => {
    const another = await database.another?.();
    if (!another) return;
    try {
      const held = gate();
      const end = gate();
      const holding = another.transaction(async (inner) => {
        await lockInbox(inner);
        held.open();
        await end.opened;
      });
      await held.opened;
      await expect(
        createInbox({ db, accounts: [account], log: { warn() {} }, limitMs: 100 }).take(
          [cloudEvent({ n: 1 })],
          webhook,
        ),
      ).rejects.toMatchObject({ code: 'database_unavailable' });
      end.open();
      await holding;
      expect(await ids()).toEqual([]);
    } finally {
      await another.close();
    }
  });
});
