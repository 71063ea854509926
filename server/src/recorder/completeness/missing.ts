import { asReservationSid, type ReservationSid } from '@flex-custody/core';
import type { TwilioLive } from '@flex-custody/twilio';
import type { Alarms } from '../../alarms/alarms.ts';
import type { LookupCatalog } from '../../catalog/lookup-catalog.ts';
import type { Marks } from '../../catalog/marks.ts';
import type { Db } from '../../db/db.ts';
import { repairedUntil } from '../repair/complete.ts';
import type { Contact } from '../sessions/contact.ts';
import { contactsClosed, contactsNamed } from '../sessions/kept/contacts-table.ts';
import { haveRead } from '../sessions/kept/follow-inbox.ts';
import { placesOf } from '../sessions/places-of.ts';
import { entriesOf } from './day-ledger.ts';
import type { Entry } from './ledger.ts';

export interface MissingDeps {
  db: Pick<Db, 'query'>;
  catalog: Pick<LookupCatalog, 'ofContacts'> & Marks;
  twilio: Pick<TwilioLive, 'recordingsOf'>;
  alarms: Pick<Alarms, 'raise' | 'resolve' | 'list'>;
  /** Minutes from the end of a call to the alarm; 0: never. */
  missingMinutes: number;
  /** Whether the host compares TaskRouter's history with its events. */
  isRepaired: boolean;
  /** Epoch ms. */
  now?: () => number;
}

const markName = 'missing-recordings';
const minuteMs = 60_000;
/** How long a recording that Twilio has may take to reach the catalog: `reconcile` finds it each hour. */
const wayMs = 3 * 60 * minuteMs;
/** Contacts that are read at once, and segments that wait for a recording on its way. */
const pageRows = 100;
const mostWaiting = 1_000;

type MissingEntry = Entry & { reservationSid: ReservationSid };

/**
 * Raises the alarm `recording_missing` for each agent's segment whose contact closed before the minutes of the setting, and that has
 * neither a recording in the catalog nor a reason to have none; resolves those whose recording has arrived. A segment whose recording
 * Twilio has waits for it.
 * @throws CustodyError as TwilioLive does
 */
export async function findMissing(deps: MissingDeps, signal?: AbortSignal): Promise<void> {
  const { alarms, catalog, db, isRepaired, missingMinutes, now = Date.now } = deps;
  if (missingMinutes === 0) return;
  // Events of a call's end may arrive late: what is not known to be complete is looked at by a later run.
  const repaired = isRepaired ? ((await repairedUntil(catalog))?.getTime() ?? 0) : now();
  const until = new Date(Math.min(now() - missingMinutes * minuteMs, repaired));
  if (until.getTime() <= 0 || !(await haveRead(db, until))) return;
  const { from = until, waiting } = await readMark(catalog);
  const open = await openOnes(alarms);
  const still: ReservationSid[] = [];
  for (let after = { closedAt: from, number: Number.MAX_SAFE_INTEGER }; ; ) {
    signal?.throwIfAborted();
    const page = await contactsClosed(db, after, until, pageRows);
    still.push(
      ...(await judge(
        deps,
        page.map(({ contact }) => contact),
        open,
      )),
    );
    const last = page.at(-1);
    if (last?.contact.closedAt === undefined || page.length < pageRows) break;
    after = { closedAt: new Date(last.contact.closedAt), number: last.number };
  }
  const asked = new Set<ReservationSid>([...waiting, ...open]);
  const known = await contactsNamed(db, [...asked]);
  still.push(
    ...(await judge(
      deps,
      known.map(({ contact }) => contact),
      open,
      asked,
    )),
  );
  await catalog.setMark(markName, {
    until: (from > until ? from : until).toISOString(),
    waiting: [...new Set(still)].slice(0, mostWaiting),
  });
}

/**
 * @param open segments that have an open alarm
 * @param asked the only segments to look at; undefined: all
 * @returns segments whose recording is on its way
 */
async function judge(
  deps: MissingDeps,
  contacts: readonly Contact[],
  open: ReadonlySet<ReservationSid>,
  asked?: ReadonlySet<ReservationSid>,
): Promise<ReservationSid[]> {
  const { alarms, now = Date.now } = deps;
  const entries = (await entriesOf(deps, contacts))
    .filter((entry): entry is MissingEntry => entry.reservationSid !== undefined)
    .filter(({ reservationSid }) => !asked || asked.has(reservationSid));
  const waiting: ReservationSid[] = [];
  for (const entry of entries) {
    const { endedAt, outcome, reservationSid, taskSid, workerSid } = entry;
    const isOpen = open.has(reservationSid);
    if (outcome !== 'unexplained') {
      if (isOpen) await alarms.resolve(['recording_missing'], subjectOf(reservationSid));
      continue;
    }
    if (isOpen) continue;
    const contact = contacts.find(({ id }) => id === entry.contact);
    if (contact && now() - endedAt < wayMs && (await isOnItsWay(deps, contact, entry))) {
      waiting.push(reservationSid);
      continue;
    }
    await alarms.raise(
      'recording_missing',
      subjectOf(reservationSid),
      `no recording of the segment ${reservationSid} of ${workerSid ?? 'an agent'} in ${taskSid ?? entry.contact}, ended ${new Date(endedAt).toISOString()}`,
    );
  }
  return waiting;
}

const subjectOf = (reservation: ReservationSid) => `session-${reservation}` as const;

/** Twilio has a recording of the contact's legs or conferences that overlaps the segment: only the catalog lacks it. */
async function isOnItsWay(
  { twilio }: MissingDeps,
  contact: Contact,
  { startedAt, endedAt }: Entry,
): Promise<boolean> {
  for (const place of placesOf(contact))
    for (const { createdAt, status } of await twilio.recordingsOf(place)) {
      const began = createdAt?.getTime() ?? startedAt;
      const isWithin = began <= endedAt && began >= startedAt - minuteMs;
      if (isWithin && !['absent', 'deleted', 'failed'].includes(status)) return true;
    }
  return false;
}

async function openOnes(alarms: Pick<Alarms, 'list'>): Promise<Set<ReservationSid>> {
  const found = await alarms.list({ open: true, code: 'recording_missing', limit: mostWaiting });
  return new Set(found.flatMap(({ session }) => asReservationSid(session) ?? []));
}

async function readMark(catalog: Pick<Marks, 'mark'>): Promise<{ from?: Date; waiting: ReservationSid[] }> {
  const mark = await catalog.mark(markName);
  const from = new Date(String(mark?.['until']));
  const waiting: unknown = mark?.['waiting'];
  return {
    ...(!Number.isNaN(from.getTime()) && { from }),
    waiting: (Array.isArray(waiting) ? waiting : []).flatMap((one: unknown) => asReservationSid(one) ?? []),
  };
}
