import { type AccountSid, CustodyError, type RecordingSid } from '@flex-custody/core';
import type { RecordingPlace } from '@flex-custody/twilio';
import { createAlarms } from '../../alarms/alarms.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { createCatalog } from '../../catalog/create-catalog.ts';
import type { Registration } from '../../catalog/recording-row.ts';
import type { Db } from '../../db/db.ts';
import { migrate } from '../../db/migrate.ts';
import { onEachEngine, type TestDatabase } from '../../db/testing/on-each-engine.ts';
import { createRuns, type Json } from '../../runs/runs.ts';
import { entriesOf } from '../completeness/day-ledger.ts';
import { type Contact, wasAccepted } from '../sessions/contact.ts';
import { contactsOf } from '../sessions/contacts-of.ts';
import { writeContacts } from '../sessions/kept/contacts-table.ts';
import { inbound, type Scene, warmTransfer } from '../sessions/testing/stories.ts';
import { createRecovery, type RecoveryDeps } from './recovery.ts';
import { runRecovery } from './run-jobs.ts';
import { segmentsOfRecording } from './segments-of.ts';

const accountSid = `AC${'1'.repeat(32)}` as AccountSid;
const RE = (n: number) => `RE${n.toString(16).padStart(32, '0')}` as RecordingSid;
const minute = 60_000;

function contactOf(scene: Scene): Contact {
  const [contact] = contactsOf(scene.story.events);
  if (!contact) throw new Error('the story has no contact');
  return contact;
}

const keyOf = ({ keys }: Contact, letters: string) => keys.find((key) => key.startsWith(letters)) as never;

onEachEngine('call recovery', (open) => {
  let database: TestDatabase;
  let db: Db;
  let catalog: Catalog;
  /** What Twilio has. */
  let at: Registration[];
  let asked: RecordingPlace[];
  let linked: RecordingSid[];
  let deps: RecoveryDeps & { now(): number };
  let underway: boolean;
  let failure: CustodyError | undefined;

  beforeAll(async () => {
    database = await open();
    db = database.db;
    await migrate(db);
    catalog = createCatalog(db, accountSid);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    [at, asked, linked, underway, failure] = [[], [], [], false, undefined];
    await db.query('TRUNCATE recordings, alarms, contacts, contact_keys, runs, segment_reasons CASCADE');
    deps = {
      ...{ db, catalog },
      async takeIn(place, { dryRun }) {
        asked.push(place);
        if (failure) throw failure;
        if (underway) return { seen: 1, underway: 1 };
        const found = at.filter((one) =>
          'call' in place ? one.callSid === place.call : one.conferenceSid === place.conference,
        );
        if (!dryRun) for (const one of found) await catalog.register(one);
        return { missed: found.length };
      },
      link: async (sid) => void linked.push(sid),
      now: () => Date.parse('2026-11-30T12:00:00Z'),
    };
  });

  async function keep(...contacts: Contact[]) {
    await writeContacts(
      db,
      contacts.map((contact, index) => ({ number: index + 1, contact })),
    );
    for (const [index, { keys }] of contacts.entries())
      await db.query('INSERT INTO contact_keys SELECT key, $2 FROM unnest($1::text[]) key', [
        keys,
        index + 1,
      ]);
  }

  /** Of the conference of a contact, as long as its agents' segments together. */
  function conferenceOf(contact: Contact, n: number): Registration {
    const accepted = contact.interactions.filter(wasAccepted);
    const from = Math.min(...accepted.map(({ acceptedAt = 0 }) => acceptedAt));
    const to = Math.max(...accepted.map(({ endedAt = 0 }) => endedAt));
    return {
      ...{ recordingSid: RE(n), accountSid, channels: 2, hints: {}, source: 'reconcile' },
      conferenceSid: keyOf(contact, 'CF'),
      startedAt: new Date(from),
      durationSeconds: (to - from) / 1_000,
    };
  }

  const run = async (options: Json) =>
    (await createRuns(db).run('recover', options, (one) => createRecovery(deps).recover(one))).counts;
  const due = () => createRecovery(deps).recoverDue(new AbortController().signal);
  const outcomes = async (contact: Contact) =>
    (await entriesOf(deps, [contact]))
      .filter(({ reservationSid }) => reservationSid)
      .map(({ outcome }) => outcome);

  test('one recording of a conference is found for each agent whom it overlaps', async () => {
    const contact = contactOf(warmTransfer(41));
    await keep(contact);
    at = [conferenceOf(contact, 1)];
    expect(await outcomes(contact)).toEqual(['unexplained', 'unexplained']);
    await due();
    expect(asked[0]).toEqual({ conference: keyOf(contact, 'CF') });
    expect(await outcomes(contact)).toEqual(['recorded', 'recorded']);
    const count = asked.length;
    await due();
    expect(asked).toHaveLength(count);
  });

  test('a recorded call, an open one and one that only just ended are not asked for', async () => {
    const [recordedCall, open, fresh] = [42, 43, 44].map((seed) => contactOf(inbound(seed))) as [
      Contact,
      Contact,
      Contact,
    ];
    const { closedAt: _, ...lasts } = open;
    await keep(recordedCall, lasts, { ...fresh, closedAt: deps.now() - 5 * minute });
    await catalog.register(conferenceOf(recordedCall, 1));
    await due();
    expect(asked).toEqual([]);
  });

  test('a call is asked for again while Twilio has an unfinished recording of it, and once events move its close', async () => {
    const contact = contactOf(inbound(45));
    await keep(contact);
    underway = true;
    await due();
    await due();
    const perLook = asked.length / 2;
    underway = false;
    await due();
    await due();
    expect(asked).toHaveLength(3 * perLook);
    await keep();
    await writeContacts(db, [
      { number: 1, contact: { ...contact, closedAt: (contact.closedAt ?? 0) + 1_000 } },
    ]);
    await due();
    expect(asked).toHaveLength(4 * perLook);
  });

  test('a run of the job ends at its limit of requests, and the next one continues', async () => {
    const contacts = Array.from({ length: 120 }, (_, n) => contactOf(inbound(500 + n)));
    await keep(...contacts);
    await due();
    const first = asked.length;
    expect(first).toBeLessThanOrEqual(200);
    expect(first).toBeGreaterThan(150);
    while (asked.length < 10_000) {
      const before = asked.length;
      await due();
      if (asked.length === before) break;
    }
    const conferences = asked.flatMap((place) => ('conference' in place ? place.conference : []));
    expect(new Set(conferences).size).toBe(120);
  });

  test('a place that Twilio refuses does not keep the others from being asked; an outage fails the job', async () => {
    await keep(contactOf(inbound(46)));
    failure = new CustodyError('twilio_refused', 'no');
    await due();
    expect(asked.length).toBeGreaterThan(1);
    await keep(contactOf(inbound(47)));
    await db.query('UPDATE contacts SET recovered_at = NULL');
    failure = new CustodyError('twilio_unavailable', 'down');
    const alarms = createAlarms(db);
    const [job] = runRecovery({ alarms, recovery: createRecovery(deps), isOn: true });
    const info = { attempt: 1, signal: new AbortController().signal };
    await expect(job?.run({}, info)).rejects.toMatchObject({ code: 'twilio_unavailable' });
    await job?.dead?.({ data: {}, error: { code: 'twilio_unavailable', message: '', retryable: true } });
    expect(await alarms.list({ open: true })).toMatchObject([{ code: 'recover_failed' }]);
    failure = undefined;
    await job?.run({}, info);
    expect(await alarms.list({ open: true })).toEqual([]);
  });

  test('a recording without a task is sent to the linker, with the segments that it overlaps', async () => {
    const contact = contactOf(inbound(48));
    await keep(contact);
    const found = conferenceOf(contact, 1);
    const before = {
      ...{
        ...found,
        recordingSid: RE(2),
        startedAt: new Date(contact.openedAt - 3_600_000),
        durationSeconds: 9,
      },
    };
    await catalog.register(found);
    await catalog.register(before);
    for (const sid of [RE(1), RE(2)]) await catalog.unlinked(sid, 'task_not_found');
    await due();
    expect(linked).toEqual([RE(1)]);
    expect((await catalog.find(RE(1)))?.linkState).toBe('pending');
    const accepted = contact.interactions.filter(wasAccepted);
    expect(await segmentsOfRecording(db, found)).toEqual(
      accepted.map(({ taskSid, reservationSid, workerSid }) => ({ taskSid, reservationSid, workerSid })),
    );
    expect(await segmentsOfRecording(db, before)).toEqual([]);
  });

  test('a run over a period counts, changes nothing when dry, and is done a second time', async () => {
    const [one, other] = [contactOf(inbound(49)), contactOf(warmTransfer(50))];
    await keep(one, other);
    at = [conferenceOf(one, 1), conferenceOf(other, 2)];
    await catalog.register({ ...conferenceOf(one, 3), startedAt: new Date(0) });
    const since = new Date(one.openedAt - 1).toISOString();
    expect(await run({ since, dryRun: true })).toMatchObject({ done: 2, lacking: 3, missed: 2, linked: 0 });
    expect(await catalog.find(RE(1))).toBeUndefined();
    expect(await run({ since })).toMatchObject({ done: 2, lacking: 3, missed: 2 });
    expect(await run({ since, until: new Date(deps.now()).toISOString() })).toMatchObject({
      done: 2,
      lacking: 0,
    });
    expect(await run({ since: new Date(deps.now()).toISOString() })).toMatchObject({ done: 0, lacking: 0 });
  });
});
