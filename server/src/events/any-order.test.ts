import fc from 'fast-check';
import type { Db } from '../db/db.ts';
import { migrate } from '../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../db/testing/on-each-engine.ts';
import type { EventSource } from './agent-event.ts';
import { createInbox } from './create-inbox.ts';
import { createInboxReader } from './inbox-reader.ts';
import { account, cloudEvent, kinesisRecord, sid } from './testing/cloud-events.ts';

jest.setTimeout(120_000);

/** Each event in several forms, and some records that are set aside. */
const forms: readonly (readonly unknown[])[] = [
  ...[1, 2, 3, 4].map((n) => [cloudEvent({ n }), kinesisRecord({ n }), cloudEvent({ n, id: `again ${n}` })]),
  [cloudEvent({ n: 5, eventSid: undefined }), cloudEvent({ n: 5, eventSid: undefined, id: 'repaired' })],
  [cloudEvent({ n: 6 }), cloudEvent({ n: 6, eventSid: undefined, id: 'without its SID' })],
  // Of the same milliseconds and resource, and yet two events.
  [cloudEvent({ n: 7, eventSid: sid('EV', 70) })],
  [cloudEvent({ n: 7, eventSid: sid('EV', 71), id: 'the other' })],
];
const broken: readonly unknown[] = [
  '{',
  cloudEvent({ n: 8, type: 'com.twilio.x' }),
  cloudEvent({ n: 9, id: '' }),
];

const record = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...forms.flat()) },
  { weight: 1, arbitrary: fc.constantFrom(...broken) },
);
const from = fc.record({
  source: fc.constantFrom<EventSource>('kinesis', 'webhook', 'repair'),
  shard: fc.constantFrom('', 's1', 's2'),
});
const batches = fc.array(fc.record({ events: fc.array(record, { maxLength: 8 }), from }), { maxLength: 8 });

onEachEngine('batches in any order, split and repeated in any way', (open) => {
  let database: TestDatabase;
  let writers: Db[];
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
    writers = [database.db, ...(database.another ? [await database.another()] : [])];
  });
  afterAll(async () => {
    for (const writer of writers.slice(1)) await writer.close();
    await database.drop();
  });

  test('store each event once, and the counters add up', async () => {
    const { db } = database;
    await fc.assert(
      fc.asyncProperty(batches, async (all) => {
        await db.query('TRUNCATE agent_events, events_set_aside, event_counters');
        const sums = await Promise.all(
          all.map((batch, n) =>
            createInbox({
              db: writers[n % writers.length] ?? db,
              accounts: [account],
              log: { warn() {} },
            }).take(batch.events, batch.from),
          ),
        );
        for (const { read, stored, duplicate, setAside } of sums)
          expect(read).toBe(stored + duplicate + setAside);

        const given = all.flatMap(({ events }) => events);
        const { events } = await createInboxReader(db).after(undefined, 1_000);
        const stored = events.map(({ id, eventSid, data }) =>
          forms.findIndex((of) =>
            of.some((one) =>
              Buffer.isBuffer(one) ? false : (one as { id: string }).id === id && (eventSid ?? data),
            ),
          ),
        );
        const expected = forms.flatMap((of, n) => (of.some((one) => given.includes(one)) ? [n] : []));
        expect(stored.toSorted((a, b) => a - b)).toEqual(expected);

        const [total] = await db.query<Record<string, number>>(
          `SELECT coalesce(sum(read), 0)::int AS read, coalesce(sum(stored), 0)::int AS stored,
             coalesce(sum(duplicate), 0)::int AS duplicate, coalesce(sum(set_aside), 0)::int AS aside FROM event_counters`,
        );
        const aside = given.filter((one) => broken.includes(one)).length;
        expect(total).toEqual({
          ...{ read: given.length, stored: expected.length, aside },
          duplicate: given.length - expected.length - aside,
        });
        const [kept] = await db.query<{ n: number }>(
          'SELECT coalesce(sum(count), 0)::int AS n FROM events_set_aside',
        );
        expect(kept?.n).toBe(aside);
      }),
      { numRuns: 60 },
    );
  });
});
