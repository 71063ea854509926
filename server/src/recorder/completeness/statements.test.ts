import type { AccountSid, CallSid, RecordingSid } from '@flex-custody/core';
import { createAlarms } from '../../alarms/alarms.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { createCatalog } from '../../catalog/create-catalog.ts';
import type { Db } from '../../db/db.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { testSigning } from '../../signing/testing/identity.ts';
import { noteComplete } from '../repair/complete.ts';
import type { Contact } from '../sessions/contact.ts';
import { contactsOf } from '../sessions/contacts-of.ts';
import { writeContacts } from '../sessions/kept/contacts-table.ts';
import { storeAll } from '../sessions/testing/stored.ts';
import { inbound } from '../sessions/testing/stories.ts';
import { type CompletenessDeps, createCompleteness } from './completeness.ts';
import { daysAfter, startOf } from './day.ts';
import { ledgerOfDay } from './day-ledger.ts';
import type { ReasonCode } from './reasons.ts';
import { runCompleteness } from './run-jobs.ts';
import { claimVersion } from './statement-versions.ts';
import { type StatementDeps, stateDays, statementKey, statementType } from './statements.ts';

const accountSid = `AC${'1'.repeat(32)}` as AccountSid;
const timeZone = 'Europe/Madrid';
const signing = testSigning();
const hour = 3_600_000;
const RE = (n: number) => `RE${n.toString(16).padStart(32, '0')}` as RecordingSid;

/** A call with one segment, moved to a time. */
function callAt(seed: number, openedAt: number): Contact {
  const [contact] = contactsOf(inbound(seed).story.events);
  if (!contact) throw new Error('the story has no contact');
  const by = openedAt - contact.openedAt;
  const moved: unknown = JSON.parse(JSON.stringify(contact), (name, value) =>
    name.endsWith('At') && typeof value === 'number' ? value + by : value,
  );
  return moved as Contact;
}

const acceptedOf = (contact: Contact) => {
  const one = contact.interactions.find(({ acceptedAt }) => acceptedAt !== undefined);
  if (!one) throw new Error('no agent took the call');
  return one;
};

onEachEngine('statements of completeness', (open) => {
  let database: TestDatabase;
  let db: Db;
  let catalog: Catalog;
  let written: [string, Buffer][];
  let deps: StatementDeps;
  const days = ['2026-10-24', '2026-10-25', '2026-10-26'] as const;
  const start = (day: string) => startOf(timeZone, day);
  const complete = (from: number, until: number) =>
    noteComplete(catalog, { from: new Date(from), until: new Date(until) }, { instead: true });
  const alarm = async () => (await createAlarms(db).list({ open: true }))[0];
  const keys = () => written.map(([key]) => key.split('/')[2]);
  async function record(contact: Contact, n: number) {
    const { acceptedAt = 0, endedAt = 0 } = acceptedOf(contact);
    await catalog.register({
      ...{ recordingSid: RE(n), accountSid, channels: 2, hints: {}, source: 'callback' },
      callSid: contact.keys.find((key) => key.startsWith('CA')) as CallSid,
      startedAt: new Date(acceptedAt),
      durationSeconds: (endedAt - acceptedAt) / 1_000,
    });
  }
  async function keep(...contacts: Contact[]) {
    await writeContacts(
      db,
      contacts.map((contact, index) => ({ number: index + 1, contact })),
    );
    for (const [index, { keys: own }] of contacts.entries())
      await db.query(
        'INSERT INTO contact_keys SELECT key, $2 FROM unnest($1::text[]) key ON CONFLICT DO NOTHING',
        [own, index + 1],
      );
  }

  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
    catalog = createCatalog(db, accountSid);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    written = [];
    await db.query(
      `TRUNCATE recordings, alarms, marks, contacts, contact_keys, reports, pauses, agent_events, segment_reasons,
         completeness_statements, audit CASCADE; UPDATE session_place SET position = NULL`,
    );
    deps = {
      ...{ accountSid, db, catalog, signing },
      alarms: createAlarms(db),
      dataSource: { current: async () => ({ settings: { timeZone } }) as never },
      store: {
        async putBytes(key, bytes) {
          written.push([key, Buffer.from(bytes)]);
          return { etag: '"e"', bytes: bytes.length };
        },
      },
    };
  });

  test('a day has the contacts that opened in it, in the time zone, however many there are', async () => {
    const first = start(days[1]);
    const last = start(days[2]) - 1;
    const inside = Array.from({ length: 205 }, (_, n) => callAt(1_000 + n, n < 150 ? first : last - n));
    const outside = [callAt(1, first - 1), callAt(2, last + 1)];
    await keep(...outside, ...inside, { ...callAt(3, first + 1), closedAt: undefined as never });
    const [recorded, paused] = inside as [Contact, Contact];
    await record(recorded, 1);
    const { acceptedAt = 0, endedAt = 0, taskSid } = acceptedOf(paused);
    await db.query(
      `INSERT INTO reports (id, kind, at, task_sid, by) VALUES (gen_random_uuid(), 'paused', $1, $2, 'browser')`,
      [new Date(acceptedAt), taskSid],
    );
    await db.query(
      `INSERT INTO pauses (conference_sid, task_sid, last_at, ended_at, ended_by) VALUES ('CF1', $1, $2, $3, 'wrap-up')`,
      [taskSid, new Date(acceptedAt), new Date(endedAt)],
    );
    const ledger = await ledgerOfDay(deps, days[1]);
    expect(ledger).toMatchObject({
      ...{ day: days[1], timeZone, contacts: 206, open: 1, erased: 0 },
      from: '2026-10-24T22:00:00.000Z',
      to: '2026-10-25T23:00:00.000Z',
      outcomes: { recorded: 1, paused: 1, unexplained: 203 },
    });
    const sids = inside.slice(2).map((contact) => acceptedOf(contact).reservationSid);
    expect(ledger.unexplained.map(({ reservationSid }) => reservationSid).sort()).toEqual(sids.sort());
  });

  test('a statement is written once: two hours after the day, for whole days whose events are complete', async () => {
    await stateDays(deps);
    await complete(start(days[0]) + 1_000, start(days[2]) + 2 * hour - 1);
    await stateDays(deps);
    expect(written).toEqual([]);
    await complete(start(days[0]) + 1_000, start(days[2]) + 2 * hour);
    await stateDays(deps);
    await stateDays(deps);
    expect(written.map(([key]) => key)).toEqual([statementKey(accountSid, days[1])]);
    const json = JSON.parse(String(written[0]?.[1]));
    const { payload } = await signing.verify(
      statementType,
      [json.protected, json.payload, json.signature].join('.'),
    );
    expect(JSON.parse(payload)).toEqual(
      JSON.parse(
        JSON.stringify({
          ...(await ledgerOfDay(deps, days[1])),
          version: 1,
          eventsUntil: new Date(start(days[2]) + 2 * hour).toISOString(),
        }),
      ),
    );
    await complete(start(days[0]), start(daysAfter(days[2], 2)) + 2 * hour);
    await stateDays(deps);
    expect(keys()).toEqual(['2026-10-25.json', '2026-10-26.json', '2026-10-27.json']);
  });

  test('a day waits until the sessions have read its events', async () => {
    await complete(start(days[1]), start(days[2]) + 3 * hour);
    const [event] = inbound(5).story.events;
    if (!event) throw new Error('the story has no events');
    await storeAll(db, [{ ...event, time: new Date(start(days[2])) }]);
    await stateDays(deps);
    expect(written).toEqual([]);
    await db.query('UPDATE agent_events SET at = $1', [new Date(start(days[2]) + 2 * hour)]);
    await stateDays(deps);
    expect(keys()).toEqual(['2026-10-25.json']);
  });

  test('unexplained segments are an alarm until a later ledger explains them, and the day is stated again', async () => {
    const [one, two] = [callAt(11, start(days[0])), callAt(12, start(days[1]))];
    await keep(one, two);
    await complete(start(days[0]), start(days[2]) + 3 * hour);
    await stateDays(deps);
    expect(await alarm()).toMatchObject({
      code: 'segments_unexplained',
      detail: '2026-10-24: 1, 2026-10-25: 1; flex-custody completeness --day 2026-10-24',
    });
    const { times } = (await alarm()) ?? {};
    await stateDays(deps);
    expect(await alarm()).toMatchObject({ times });
    expect(keys()).toEqual(['2026-10-24.json', '2026-10-25.json']);
    await record(one, 1);
    await stateDays(deps);
    expect((await alarm())?.detail).toMatch(/^2026-10-25: 1;/);
    await record(two, 2);
    await stateDays(deps);
    expect(await alarm()).toBeUndefined();
    expect(keys().slice(2)).toEqual(['2026-10-24.2.json', '2026-10-25.2.json']);
    await stateDays(deps);
    expect(written).toHaveLength(4);
  });

  const payloadOf = ([, bytes]: [string, Buffer]) =>
    JSON.parse(Buffer.from(JSON.parse(String(bytes)).payload, 'base64url').toString());

  test('reasons resolve the alarm and are stated; a withdrawal, and a recording that arrives later, are stated too', async () => {
    const one = callAt(31, start(days[0]));
    const { reservationSid } = acceptedOf(one);
    const sent: string[] = [];
    const queue: CompletenessDeps['queue'] = { send: async ({ name }) => void sent.push(name) };
    const completeness = createCompleteness({ ...deps, db, queue });
    const explain = (reason: ReasonCode) =>
      completeness.explainSegment({ reservationSid, reason, comment: 'ask +4930123456', explainedBy: 'ada' });
    await keep(one);
    await complete(start(days[0]), start(days[1]) + 3 * hour);
    await stateDays(deps);
    expect((await alarm())?.code).toBe('segments_unexplained');
    await explain('network');
    await stateDays(deps);
    expect(await alarm()).toBeUndefined();
    await stateDays(deps);
    await explain('outage');
    await stateDays(deps);
    await completeness.withdrawReason({ reservationSid, by: 'grace' });
    await stateDays(deps);
    expect((await alarm())?.code).toBe('segments_unexplained');
    await explain('network');
    await record(one, 1);
    await stateDays(deps);
    expect(await alarm()).toBeUndefined();
    expect(keys()).toEqual(['', '.2', '.3', '.4', '.5'].map((version) => `2026-10-24${version}.json`));
    const stated = written.map(payloadOf);
    expect(stated.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5]);
    expect(stated.map(({ outcomes }) => [outcomes.unexplained, outcomes.explained])).toEqual([
      [1, 0],
      [0, 1],
      [0, 1],
      [1, 0],
      [0, 0],
    ]);
    expect(stated.map(({ explained: [first] }) => first && [first.reason, first.outcome])).toEqual([
      undefined,
      ['network', 'explained'],
      ['outage', 'explained'],
      undefined,
      ['network', 'recorded'],
    ]);
    expect(stated[1].explained).toEqual([
      expect.objectContaining({ reservationSid, explainedBy: 'ada', explainedAt: expect.any(String) }),
    ]);
    expect(JSON.stringify(stated)).not.toContain('+4930123456');
    expect(sent).toEqual(Array(4).fill('completeness'));
    await expect(explain('network')).rejects.toMatchObject({ code: 'segment_settled' });
    const rows = await db.query('SELECT viewer, action, recording_sid, reason FROM audit ORDER BY id');
    const entry = (viewer: string, action: string, reason: string) => ({
      ...{ viewer, action, reason, recording_sid: reservationSid },
    });
    expect(rows).toEqual([
      entry('ada', 'segment.explained', 'network'),
      entry('ada', 'segment.explained', 'outage'),
      entry('grace', 'segment.reason-withdrawn', 'by the command line'),
      entry('ada', 'segment.explained', 'network'),
    ]);
  });

  test('nothing is explained that the audit log did not take', async () => {
    const one = callAt(32, start(days[0]));
    await keep(one);
    const completeness = createCompleteness({ ...deps, db, queue: { send: async () => undefined } });
    await db.query('ALTER TABLE audit RENAME TO audit_away');
    try {
      await expect(
        completeness.explainSegment({
          ...{ reservationSid: acceptedOf(one).reservationSid, reason: 'network', explainedBy: 'ada' },
        }),
      ).rejects.toMatchObject({ code: 'audit_unavailable' });
    } finally {
      await db.query('ALTER TABLE audit_away RENAME TO audit');
    }
    expect(await db.query('SELECT 1 FROM segment_reasons')).toEqual([]);
  });

  test('a statement that was claimed and not written leaves a gap, and overwrites none', async () => {
    await keep(callAt(33, start(days[0])));
    await complete(start(days[0]), start(days[1]) + 3 * hour);
    await claimVersion(db, { accountSid, day: days[0] });
    await stateDays(deps);
    expect(keys()).toEqual(['2026-10-24.2.json']);
  });

  test('what is unexplained for 31 days keeps its alarm, and is not read again', async () => {
    const one = callAt(21, start(days[0]));
    await keep(one);
    await complete(start(days[0]), start(days[1]) + 3 * hour);
    await stateDays(deps);
    await record(one, 1);
    await complete(start(days[0]), start(daysAfter(days[0], 33)));
    await stateDays(deps);
    expect(keys().filter((key) => key?.startsWith('2026-10-24'))).toHaveLength(1);
    expect((await alarm())?.code).toBe('segments_unexplained');
  });

  test('the job that succeeds resolves the alarm of its failure', async () => {
    const sent: unknown[] = [];
    const short = `RE${'1'.repeat(32)}` as RecordingSid;
    const alarms = createAlarms(database.db);
    await alarms.raise('recording_short', short, '');
    const job = runCompleteness({
      ...{ ...deps, alarms },
      queue: { send: async ({ name }, data) => void sent.push([name, data]) },
      ...{ twilio: { recordingsOf: async () => [] }, missingMinutes: 0, isRepaired: false },
    }).find((one) => one.job.name === 'completeness');
    await job?.dead?.({ data: {}, error: { code: 'store_denied', message: '', retryable: false } });
    expect(await alarm()).toMatchObject({ code: 'completeness_failed', detail: 'store_denied' });
    await job?.run({}, { attempt: 1, signal: new AbortController().signal });
    expect(await alarm()).toMatchObject({ code: 'recording_short' });
    expect(sent).toEqual([['length', { recordingSid: short }]]);
  });
});
