import {
  type AccountSid,
  type CallSid,
  CustodyError,
  type RecordingSid,
  type TaskSid,
} from '@flex-custody/core';
import type { ListedRecording } from '@flex-custody/twilio';
import { createAlarms } from '../../alarms/alarms.ts';
import { createCatalog } from '../../catalog/create-catalog.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { noteComplete } from '../repair/complete.ts';
import { type Contact, wasAccepted } from '../sessions/contact.ts';
import { contactsOf } from '../sessions/contacts-of.ts';
import { attachEvents, writeContacts } from '../sessions/kept/contacts-table.ts';
import { inbound, type Scene, stories } from '../sessions/testing/stories.ts';
import { findMissing, type MissingDeps } from './missing.ts';
import { keepReason } from './segment-reasons.ts';

const accountSid = `AC${'1'.repeat(32)}` as AccountSid;
const RE = (n: number) => `RE${String(n).padStart(32, '0')}` as RecordingSid;
const minute = 60_000;

onEachEngine('recordings that have not come', (open) => {
  let database: TestDatabase;
  let now: number;
  let listed: ListedRecording[];
  let away: boolean;
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await database.db.query(
      'TRUNCATE recordings, alarms, reports, marks, contacts, contact_keys, contact_events, segment_reasons CASCADE',
    );
    [listed, away] = [[], false];
  });

  const catalog = () => createCatalog(database.db, accountSid);
  const alarms = () => createAlarms(database.db);
  const deps = (change: Partial<MissingDeps> = {}): MissingDeps => ({
    ...{ db: database.db, catalog: catalog(), alarms: alarms(), missingMinutes: 30, isRepaired: false },
    twilio: {
      async recordingsOf() {
        if (away) throw new CustodyError('twilio_unavailable', 'away');
        return listed;
      },
    },
    now: () => now,
    ...change,
  });
  const look = (change?: Partial<MissingDeps>) => findMissing(deps(change));
  const raised = async () =>
    (await alarms().list({ open: true })).map(({ code, session }) => `${code} ${session}`).sort();
  async function keep(contacts: readonly Contact[]): Promise<void> {
    const groups = contacts.map(({ keys, id }) => ({ contacts: [], keys: [...keys], events: [id] }));
    const numbers = await database.db.transaction((inner) => attachEvents(inner, groups));
    await writeContacts(
      database.db,
      contacts.map((contact, index) => ({ number: numbers[index] ?? 0, contact })),
    );
  }
  /** A call that closed, after the first look. */
  async function call(tell: (seed: number) => Scene = inbound) {
    const contacts = contactsOf(tell(7).story.events);
    const ends = contacts.flatMap(({ closedAt }) => closedAt ?? []);
    const end = Math.max(...ends, Date.parse('2026-11-30T09:00:00Z'));
    now = Math.min(...contacts.map(({ openedAt }) => openedAt)) + 30 * minute;
    await look();
    await keep(contacts);
    const segments = contacts
      .flatMap(({ interactions, keys }) => interactions.map((one) => ({ ...one, keys })))
      .filter((one) => wasAccepted(one) && one.recording.expected);
    return { contacts, end, segments };
  }
  const only = async () => {
    const { end, segments } = await call();
    const [segment] = segments;
    if (!segment) throw new Error('the story has no segment');
    return { end, segment, missing: [`recording_missing ${segment.reservationSid}`] };
  };
  async function record(segment: Awaited<ReturnType<typeof only>>['segment'], n = 1) {
    const { acceptedAt = 0, endedAt = 0, keys } = segment;
    await catalog().register({
      ...{ recordingSid: RE(n), accountSid, channels: 2, hints: {}, source: 'callback' },
      callSid: keys.find((key) => key.startsWith('CA')) as CallSid,
      startedAt: new Date(acceptedAt),
      durationSeconds: (endedAt - acceptedAt) / 1_000,
    });
  }

  test('raises one alarm when the minutes are over, and not before', async () => {
    const { end, missing } = await only();
    now = end + 29 * minute;
    await look();
    expect(await raised()).toEqual([]);
    now = end + 30 * minute;
    await look();
    expect(await raised()).toEqual(missing);
    now += 5 * minute;
    await look();
    expect((await alarms().list())[0]).toMatchObject({ times: 1, detail: expect.stringContaining('WT') });
  });

  test('is resolved when the recording comes; one that was cleared is not raised again', async () => {
    const { end, segment, missing } = await only();
    now = end + 30 * minute;
    await look();
    expect(await raised()).toEqual(missing);
    await record(segment);
    await look();
    expect(await raised()).toEqual([]);
    await database.db.query('DELETE FROM recordings');
    await look();
    expect(await raised()).toEqual([]);
  });

  test('a recorded segment, and one that was paused for its whole length, raise none', async () => {
    const { end, segment } = await only();
    await record(segment);
    now = end + 31 * minute;
    await look();
    expect(await raised()).toEqual([]);
  });

  test('a report of a pause that comes late resolves it', async () => {
    const { end, segment, missing } = await only();
    now = end + 31 * minute;
    await look();
    expect(await raised()).toEqual(missing);
    for (const [kind, at] of [
      ['paused', segment.acceptedAt ?? 0],
      ['resumed', segment.endedAt ?? 0],
    ] as const)
      await database.db.query(
        `INSERT INTO reports (id, kind, at, task_sid, worker_sid, details, by)
         VALUES (gen_random_uuid(), $1, $2, $3, 'WK', '{}', 'browser')`,
        [kind, new Date(at), segment.taskSid as TaskSid],
      );
    await look();
    expect(await raised()).toEqual([]);
  });

  test('a reason that an operator gives resolves it', async () => {
    const { end, segment, missing } = await only();
    now = end + 31 * minute;
    await look();
    expect(await raised()).toEqual(missing);
    const { reservationSid } = segment;
    const reason = { reason: 'test-call', explainedBy: 'ada' } as const;
    await keepReason(database.db, { reservationSid, openedAt: segment.offeredAt }, reason);
    await look();
    expect(await raised()).toEqual([]);
  });

  test('while Twilio has one that the catalog lacks it waits for it, for three hours', async () => {
    const { end, segment, missing } = await only();
    const createdAt = new Date(segment.acceptedAt ?? 0);
    listed = [{ recordingSid: RE(1), status: 'completed', createdAt }];
    now = end + 31 * minute;
    await look();
    expect(await raised()).toEqual([]);
    now = end + 181 * minute;
    await look();
    expect(await raised()).toEqual(missing);
  });

  test('a recording of an earlier part of the call, or one that failed, is none on its way', async () => {
    const { end, segment, missing } = await only();
    listed = [
      {
        recordingSid: RE(1),
        status: 'completed',
        createdAt: new Date((segment.acceptedAt ?? 0) - 2 * minute),
      },
      { recordingSid: RE(2), status: 'absent', createdAt: new Date(segment.acceptedAt ?? 0) },
    ];
    now = end + 31 * minute;
    await look();
    expect(await raised()).toEqual(missing);
  });

  test('in an outage of Twilio the next look finds the same', async () => {
    const { end, missing } = await only();
    now = end + 31 * minute;
    away = true;
    await expect(look()).rejects.toMatchObject({ code: 'twilio_unavailable' });
    away = false;
    await look();
    expect(await raised()).toEqual(missing);
  });

  test('with gap repair nothing is said of a time whose events may lack some', async () => {
    const { end, missing } = await only();
    now = end + 60 * minute;
    await look({ isRepaired: true });
    const from = new Date(end - 60 * minute);
    await noteComplete(catalog(), { from, until: new Date(end - 1) });
    await look({ isRepaired: true });
    expect(await raised()).toEqual([]);
    await noteComplete(catalog(), { from, until: new Date(end + minute) });
    await look({ isRepaired: true });
    expect(await raised()).toEqual(missing);
  });

  test('0 minutes: never; and what closed before the first look is left to the daily ledger', async () => {
    const { end } = await only();
    now = end + 60 * minute;
    await look({ missingMinutes: 0 });
    expect(await raised()).toEqual([]);
    await database.db.query('TRUNCATE marks');
    await look();
    await look();
    expect(await raised()).toEqual([]);
  });

  test.each(Object.entries(stories))(
    '%s: one for each segment of which a recording is expected',
    async (_name, tell) => {
      const { end, segments } = await call(tell);
      now = end + 31 * minute;
      await look();
      expect(await raised()).toEqual(segments.map((one) => `recording_missing ${one.reservationSid}`).sort());
    },
  );
});
