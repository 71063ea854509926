import { isDeepStrictEqual } from 'node:util';
import type { Db } from '../../../server/src/db/db.ts';
import type { AgentEvent } from '../../../server/src/events/agent-event.ts';
import { createEmployees } from '../../../server/src/recorder/data-source/employees.ts';
import type { Contact } from '../../../server/src/recorder/sessions/contact.ts';
import { contactsOf } from '../../../server/src/recorder/sessions/contacts-of.ts';
import { longCall, longHolds } from '../../../server/src/recorder/sessions/policies.ts';
import type { EventStorm } from './event-storm.ts';
import { ofSessions, passing, settleEvents } from './settle-events.ts';
import type { Stage } from './stage.ts';

export interface EventVerdict {
  events: number;
  /** Lost on every way, and taken in by gap repair. */
  repaired: number;
  /** Lost on every way, and not in TaskRouter's history. */
  lostForGood: number;
  setAside: number;
  contacts: number;
  longCalls: number;
  longHolds: number;
  shards: number;
  /** What must not be: one line each. */
  eventFaults: string[];
}

/**
 * Holds the inbox against the sandbox's events, and the contacts against those of the same events computed at once. No host
 * runs when it resolves.
 */
export async function judgeEvents(
  stage: Stage,
  { broken }: EventStorm,
  tell: (line: string) => void,
): Promise<EventVerdict> {
  const { db, events, repaired, lostForGood } = await settleEvents(stage, broken.length, tell);
  try {
    const faults: string[] = [];
    if (stage.events.way.met() === 0 || repaired === 0)
      faults.push('no reading of the stream was disturbed, or no event was lost: this was no storm');
    await judgeInbox(db, events, broken, faults);
    const contacts = await judgeContacts(db, stage, events, faults);
    const long = await judgeAlarms(db, contacts, faults);
    const shards = await judgeShards(db, faults);
    return {
      ...{ events: events.length, repaired, lostForGood, setAside: broken.length },
      ...{ contacts: contacts.length, ...long, shards, eventFaults: faults },
    };
  } finally {
    await db.close();
  }
}

const keyOf = ({ id, eventSid }: Pick<AgentEvent, 'id' | 'eventSid'>) => eventSid ?? id;

async function judgeInbox(
  db: Db,
  events: readonly AgentEvent[],
  broken: readonly string[],
  faults: string[],
): Promise<void> {
  const rows = await db.query<{ id: string; eventSid: string | undefined; type: string }>(
    `SELECT id, event_sid AS "eventSid", type FROM agent_events WHERE source <> 'own'`,
  );
  const kept = new Map<string, number>();
  for (const row of rows) {
    const key = row.eventSid ?? row.id;
    kept.set(key, (kept.get(key) ?? 0) + 1);
  }
  const sent = new Set(events.map(keyOf));
  for (const event of events)
    if (!kept.has(keyOf(event))) faults.push(`${keyOf(event)} (${event.type}): not in the inbox`);
  for (const [key, count] of kept) {
    if (!sent.has(key)) faults.push(`${key}: in the inbox, and nobody has sent it`);
    if (count > 1) faults.push(`${key}: ${count} times in the inbox`);
  }
  const wrong = await db.query<{ source: string; shard: string }>(
    'SELECT source, shard FROM event_counters WHERE read <> stored + duplicate + set_aside',
  );
  for (const { source, shard } of wrong) faults.push(`the counters of ${source} ${shard} do not add up`);
  const [counted] = await db.query<{ stored: number; there: number }>(
    `SELECT (SELECT sum(stored)::int FROM event_counters) AS stored, (SELECT count(*)::int FROM agent_events) AS there`,
  );
  if (counted?.stored !== counted?.there)
    faults.push(`${counted?.stored} events are counted as stored, ${counted?.there} are there`);
  const aside = await db.query<{ raw: string | null }>('SELECT raw FROM events_set_aside');
  const raw = aside.map((row) => row.raw ?? '').sort();
  if (!isDeepStrictEqual(raw, [...broken].sort()))
    faults.push(`set aside are ${JSON.stringify(raw)}, not ${JSON.stringify(broken)}`);
}

async function judgeContacts(
  db: Db,
  { events: { settings } }: Stage,
  events: readonly AgentEvent[],
  faults: string[],
): Promise<Contact[]> {
  const read = createEmployees({
    file: settings['CUSTODY_EMPLOYEES_FILE'],
    taskRouter: () => {
      throw new Error('the file has the employees');
    },
  })();
  if ('faults' in read) throw new Error(read.faults.join('; '));
  // What the host itself found out, it found out in the sandbox.
  const own = await db.query<AgentEvent>(
    `SELECT id, type, at AS time, data FROM agent_events WHERE source = 'own'`,
  );
  const contacts = contactsOf([...events, ...own], {
    employeeOf: (worker, at) => read.employeeOf(worker, new Date(at), 'UTC'),
  });
  const rows = await db.query<{ contact: Contact }>('SELECT contact FROM contacts');
  const kept = new Map(rows.map(({ contact }) => [contact.id, contact]));
  if (kept.size !== rows.length) faults.push('two contacts have one id');
  for (const contact of contacts) {
    const found = kept.get(contact.id);
    kept.delete(contact.id);
    if (!found) faults.push(`the contact ${contact.id} is missing`);
    else if (!isDeepStrictEqual(found, JSON.parse(JSON.stringify(contact))))
      faults.push(`the contact ${contact.id} is not that of its events`);
  }
  for (const id of kept.keys()) faults.push(`the contact ${id} is not of the sandbox`);
  return contacts;
}

/** Each long call and hold has one report and one alarm, and every alarm of a passing cause is resolved. */
async function judgeAlarms(
  db: Db,
  contacts: readonly Contact[],
  faults: string[],
): Promise<{ longCalls: number; longHolds: number }> {
  const now = Date.now();
  const calls = contacts.filter((contact) => longCall(contact, 120, now));
  const holds = contacts.flatMap((contact) => longHolds(contact, 30, now));
  const rows = await db.query<{ code: string; subject: string; isOpen: boolean }>(
    `SELECT code, recording_sid AS subject, cleared_at IS NULL AS "isOpen" FROM alarms WHERE code = ANY($1::text[])`,
    [[...passing, ...ofSessions, 'events_lost']],
  );
  for (const { code, subject, isOpen } of rows) {
    if (isOpen) faults.push(`the alarm ${code} ${subject} is still open`);
    if (code === 'events_lost')
      faults.push(`the alarm events_lost of ${subject}, although every record was there`);
  }
  const reports = await db.query<{ code: string; contact: string; resolved: boolean }>(
    `SELECT code, id AS contact, resolved FROM contact_reports JOIN contacts ON number = contact_reports.contact`,
  );
  for (const { code, contact, resolved } of reports)
    if (!resolved) faults.push(`the report ${code} of ${contact} is not resolved`);
  const reported = (code: string, contact: string) =>
    reports.filter((report) => report.code === code && report.contact === contact).length;
  for (const { id } of calls)
    if (reported('long_call', id) !== 1)
      faults.push(`${reported('long_call', id)} reports of the long call ${id}`);
  for (const contact of contacts) {
    const long = longHolds(contact, 30, now).length;
    if (long > 0 && reported('long_hold', contact.id) !== long)
      faults.push(`${reported('long_hold', contact.id)} reports of ${long} long holds in ${contact.id}`);
  }
  return { longCalls: calls.length, longHolds: holds.length };
}

/** Two shards, two halves of the first, and what they were merged into: the parents are read to their ends. */
async function judgeShards(db: Db, faults: string[]): Promise<number> {
  const rows = await db.query<{ shard: string; state: string; behind: number | null }>(
    'SELECT shard, state, behind_ms AS behind FROM shard_leases ORDER BY shard',
  );
  const drained = rows.filter(({ state }) => state === 'drained').length;
  if (rows.length !== 5 || drained !== 3)
    faults.push(`${rows.length} shards, ${drained} of them drained, instead of 5 and 3`);
  return rows.length;
}
