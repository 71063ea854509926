import type { CallSid, RecordingSid, ReservationSid, TaskSid } from '@flex-custody/core';
import { CustodyError } from '@flex-custody/core';
import type { TwilioCallFacts } from '@flex-custody/twilio';
import { createAlarms } from '../../alarms/alarms.ts';
import { createCatalog } from '../../catalog/create-catalog.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { type Interaction, wasAccepted } from '../sessions/contact.ts';
import { contactsOf } from '../sessions/contacts-of.ts';
import { attachEvents, writeContacts } from '../sessions/kept/contacts-table.ts';
import { stories } from '../sessions/testing/stories.ts';
import { sids } from '../testing/live-call.ts';
import { compareLength, type LengthDeps } from './compare.ts';

const RE = (n: number) => `RE${String(n).padStart(32, '0')}` as RecordingSid;
const CA = sids.call(1);
const start = new Date('2026-11-28T10:00:00Z');
const at = (seconds: number) => new Date(start.getTime() + seconds * 1_000);
const hour = 3_600;

onEachEngine('recordings that are shorter than their calls', (open) => {
  let database: TestDatabase;
  let calls: Map<CallSid, Partial<TwilioCallFacts>>;
  let away: boolean;
  let now: Date;
  let sent: [string, object, number | undefined][];
  beforeAll(async () => {
    database = await open();
    await migrate(database.db);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await database.db.query(
      'TRUNCATE recordings, alarms, reports, contacts, contact_keys, contact_events CASCADE',
    );
    [calls, away, now, sent] = [new Map(), false, at(hour), []];
  });

  const alarms = () => createAlarms(database.db);
  const deps = (): LengthDeps => ({
    db: database.db,
    catalog: createCatalog(database.db, sids.account),
    alarms: alarms(),
    twilio: {
      async callFacts(sid) {
        if (away) throw new CustodyError('twilio_unavailable', 'away');
        const facts = calls.get(sid);
        return facts && { sid, from: '+1', to: 'client:ada', direction: 'outbound-api', ...facts };
      },
    },
    queue: {
      send: async ({ name }, data, options) => void sent.push([name, data, options?.startAfterMs]),
    },
    log: { info: () => undefined },
    now: () => now.getTime(),
  });
  const compare = (n = 1) => compareLength(deps(), RE(n));
  const raised = async () =>
    (await alarms().list({ open: true })).map(({ code, recordingSid }) => `${code} ${recordingSid}`);
  const short = (n = 1) => [`recording_short ${RE(n)}`];

  interface Recorded {
    seconds: number;
    startedAt?: Date;
    callSid?: string;
    reservation?: ReservationSid;
    task?: TaskSid;
    conference?: string;
    state?: string;
    unproven?: string[];
  }
  async function recorded(n: number, one: Recorded) {
    await database.db.query(
      `INSERT INTO recordings (recording_sid, account_sid, call_sid, conference_sid, reservation_sid, task_sid, channels,
         started_at, duration_seconds, source, state, link_state, unproven, object, verified_at)
       VALUES ($1, $2, $3, $4, $5, $6, 2, $7, $8, 'callback', $9, 'linked', $10, '{"key": "k"}', now())`,
      [
        ...[RE(n), sids.account, one.callSid ?? CA, one.conference ?? null],
        ...[one.reservation ?? null, one.task ?? sids.task, one.startedAt ?? start, one.seconds],
        ...[one.state ?? 'verified', one.unproven ?? []],
      ],
    );
  }
  const pause = (kind: 'paused' | 'resumed', seconds: number, behavior = 'skip') =>
    database.db.query(
      `INSERT INTO reports (id, kind, at, task_sid, worker_sid, details, by)
       VALUES (gen_random_uuid(), $1, $2, $3, $4, $5::jsonb, 'browser')`,
      [kind, at(seconds), sids.task, sids.worker, JSON.stringify({ behavior })],
    );

  test('an agent’s leg that was recorded to its end, and one that was not', async () => {
    calls.set(CA, { endedAt: at(300) });
    await recorded(1, { seconds: 299 });
    await compare();
    expect(await raised()).toEqual([]);
    await database.db.query('UPDATE recordings SET duration_seconds = 200');
    await compare();
    expect(await raised()).toEqual(short());
    const [alarm] = await alarms().list();
    expect(alarm?.detail).toBe('it has 200 s, and its call lasted 300 s from its start: 100 s are missing');
  });

  test('a new copy that is long enough resolves it', async () => {
    calls.set(CA, { endedAt: at(300) });
    await recorded(1, { seconds: 200 });
    await compare();
    await database.db.query('UPDATE recordings SET duration_seconds = 300');
    await compare();
    expect(await raised()).toEqual([]);
  });

  test('pauses that skip audio explain it, also one that was never ended; pauses that are silent do not', async () => {
    calls.set(CA, { endedAt: at(300) });
    await recorded(1, { seconds: 180 });
    await pause('paused', 100);
    await pause('resumed', 160);
    await pause('paused', 240);
    await compare();
    expect(await raised()).toEqual([]);
    await database.db.query(`UPDATE reports SET details = '{"behavior": "silence"}'`);
    await compare();
    expect(await raised()).toEqual(short());
  });

  test('a call that lasts is looked at again, for 25 hours', async () => {
    calls.set(CA, {});
    await recorded(1, { seconds: 20 });
    await compare();
    expect(sent).toEqual([['length', { recordingSid: RE(1) }, 15 * 60_000]]);
    now = at(26 * hour);
    await compare();
    expect(sent).toHaveLength(1);
    calls.set(CA, { endedAt: at(300) });
    await compare();
    expect(await raised()).toEqual(short());
  });

  test('what nothing is known of, is old, or is not verified, raises none', async () => {
    calls.set(CA, { endedAt: at(300), to: '+4930' });
    await recorded(1, { seconds: 20 });
    await recorded(2, { seconds: 20, callSid: sids.call(2) });
    await recorded(3, { seconds: 20, callSid: sids.call(3), state: 'copying' });
    await recorded(4, { seconds: 20, callSid: sids.call(4), unproven: ['start'] });
    for (const n of [3, 4]) calls.set(sids.call(n), { endedAt: at(300) });
    await recorded(5, { seconds: 20, callSid: sids.call(5), startedAt: at(-31 * 24 * hour) });
    calls.set(sids.call(5), { endedAt: at(-31 * 24 * hour + 300) });
    for (const n of [1, 2, 3, 4, 5, 6]) await compare(n);
    expect(await raised()).toEqual([]);
    expect(sent).toEqual([]);
  });

  test('another recording of the leg continues it', async () => {
    calls.set(CA, { endedAt: at(300) });
    await recorded(1, { seconds: 100 });
    await recorded(2, { seconds: 199, startedAt: at(101) });
    for (const n of [1, 2]) await compare(n);
    expect(await raised()).toEqual([]);
    await database.db.query(`UPDATE recordings SET state = 'absent' WHERE recording_sid = $1`, [RE(2)]);
    await compare(1);
    expect(await raised()).toEqual(short(1));
  });

  test('an outage of Twilio is no verdict; the next comparison resolves its alarm', async () => {
    away = true;
    await recorded(1, { seconds: 100 });
    await expect(compare()).rejects.toMatchObject({ code: 'twilio_unavailable' });
    await alarms().raise('length_failed', RE(1), 'twilio_unavailable');
    away = false;
    calls.set(CA, { endedAt: at(100) });
    await compare();
    expect(await raised()).toEqual([]);
  });

  describe.each(Object.entries(stories))('%s', (_name, tell) => {
    /** Each agent's segment recorded for its whole length, or but for some seconds. */
    async function recordSegments(legTo: string, lacking: number): Promise<string[]> {
      const contacts = contactsOf(tell(7).story.events);
      const groups = contacts.map(({ keys, id }) => ({ contacts: [], keys: [...keys], events: [id] }));
      const numbers = await database.db.transaction((inner) => attachEvents(inner, groups));
      await writeContacts(
        database.db,
        contacts.map((contact, index) => ({ number: numbers[index] ?? 0, contact })),
      );
      const segments = contacts.flatMap(({ interactions }) => interactions).filter(isRecorded);
      now = new Date(Math.max(0, ...segments.map(({ endedAt }) => endedAt)) + 60_000);
      for (const [n, { acceptedAt, endedAt, reservationSid }] of segments.entries()) {
        const callSid = legTo.startsWith('client:') ? sids.call(n + 1) : CA;
        // The customer's leg lasts through all segments.
        const last = Math.max(...segments.map((one) => one.endedAt));
        calls.set(callSid, { to: legTo, endedAt: new Date(legTo.startsWith('client:') ? endedAt : last) });
        const seconds = Math.max(0, Math.floor((endedAt - acceptedAt) / 1_000) - lacking);
        await recorded(n + 1, {
          seconds,
          callSid,
          startedAt: new Date(acceptedAt),
          reservation: reservationSid,
        });
      }
      for (const n of segments.keys()) await compare(n + 1);
      return raised();
    }
    const isRecorded = (one: Interaction): one is Interaction & { acceptedAt: number; endedAt: number } =>
      wasAccepted(one) && one.acceptedAt !== undefined && one.endedAt !== undefined && one.recording.expected;

    test.each(['client:ada', '+4930'])('raises none for recordings of %s', async (to) => {
      expect(await recordSegments(to, 0)).toEqual([]);
    });

    test('raises one where a segment lacks its last 10 seconds', async () => {
      const found = await recordSegments('client:ada', 10);
      const contacts = contactsOf(tell(7).story.events);
      const segments = contacts.flatMap(({ interactions }) => interactions).filter(isRecorded);
      expect(found).toHaveLength(segments.length);
    });
  });
});
