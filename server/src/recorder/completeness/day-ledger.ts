import type { AccountSid, ReservationSid, TaskSid, WorkerSid } from '@flex-custody/core';
import type { LookupCatalog } from '../../catalog/lookup-catalog.ts';
import type { Db } from '../../db/db.ts';
import type { DataSources } from '../data-source/data-source.ts';
import type { Contact } from '../sessions/contact.ts';
import { contactsOpened } from '../sessions/kept/contacts-table.ts';
import { daysAfter, startOf } from './day.ts';
import { type Entry, ledgerOf, type Outcome, outcomes } from './ledger.ts';
import type { Reason } from './reasons.ts';
import { reportedPauses } from './reported-pauses.ts';
import { reasonsOf } from './segment-reasons.ts';

export interface LedgerDeps {
  accountSid: AccountSid;
  db: Pick<Db, 'query'>;
  catalog: Pick<LookupCatalog, 'ofContacts'>;
  dataSource: Pick<DataSources, 'current'>;
}

/** An agent's segment of the day. */
export interface Segment {
  contact: string;
  reservationSid?: ReservationSid;
  taskSid?: TaskSid;
  workerSid?: WorkerSid;
  startedAt: Date;
  endedAt: Date;
}

/** A segment that an operator gave a reason for. If its outcome is not `explained`, that outcome made the reason moot. */
export type Explained = Segment & Reason & { outcome: Outcome };

/** The ledger of the contacts that opened on one day. */
export interface DayLedger {
  account: AccountSid;
  /** Such as 2026-11-28, in the time zone. */
  day: string;
  timeZone: string;
  /** ISO 8601; the day ends before `to`. */
  from: string;
  to: string;
  contacts: number;
  /** Contacts that have not closed: they are not counted below. */
  open: number;
  outcomes: Record<Outcome, number>;
  /** Of the recorded ones: those whose every recording was erased. */
  erased: number;
  explained: readonly Explained[];
  /** Segments without a recording, and without a reason. */
  unexplained: readonly Segment[];
}

/** Contacts that are read at once. */
const pageRows = 100;

export const timeZoneOf = async (dataSource: Pick<DataSources, 'current'>): Promise<string> =>
  (await dataSource.current())?.settings.timeZone ?? 'UTC';

/** @param day such as 2026-11-28, in the data source's time zone */
export async function ledgerOfDay(deps: LedgerDeps, day: string, signal?: AbortSignal): Promise<DayLedger> {
  const { accountSid: account, dataSource, db } = deps;
  const timeZone = await timeZoneOf(dataSource);
  const [from, to] = [startOf(timeZone, day), startOf(timeZone, daysAfter(day, 1))];
  const counts = Object.fromEntries(outcomes.map((name) => [name, 0])) as Record<Outcome, number>;
  const explained: Explained[] = [];
  const unexplained: Segment[] = [];
  let [contacts, open, erased] = [0, 0, 0];
  for (let after = { openedAt: from, number: 0 }; ; ) {
    signal?.throwIfAborted();
    const page = await contactsOpened(db, after, to, pageRows);
    const read = page.map(({ contact }) => contact);
    for (const entry of await entriesOf(deps, read)) {
      counts[entry.outcome] += 1;
      if (entry.outcome === 'recorded' && entry.isErased) erased += 1;
      if (entry.outcome === 'unexplained') unexplained.push(segmentOf(entry));
      if (entry.explanation)
        explained.push({ ...segmentOf(entry), outcome: entry.outcome, ...entry.explanation });
    }
    contacts += page.length;
    open += read.filter(({ closedAt }) => closedAt === undefined).length;
    const last = page.at(-1);
    if (!last || page.length < pageRows) break;
    after = { openedAt: last.contact.openedAt, number: last.number };
  }
  const period = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  return {
    ...{ account, day, timeZone },
    ...period,
    ...{ contacts, open, outcomes: counts, erased, explained, unexplained },
  };
}

/** The ledger of these contacts. */
export async function entriesOf(
  { catalog, db }: Pick<LedgerDeps, 'catalog' | 'db'>,
  contacts: readonly Contact[],
): Promise<Entry[]> {
  const recordings = await catalog.ofContacts(contacts.flatMap(({ keys }) => keys));
  const segments = contacts.flatMap(({ interactions }) => interactions);
  const pauses = await reportedPauses(
    db,
    segments.flatMap(({ taskSid }) => taskSid ?? []),
  );
  const reservations = segments.map(({ reservationSid }) => reservationSid);
  return ledgerOf(contacts, recordings, pauses, await reasonsOf(db, reservations));
}

const segmentOf = ({ contact, reservationSid, taskSid, workerSid, startedAt, endedAt }: Entry): Segment => ({
  contact,
  ...(reservationSid && { reservationSid }),
  ...(taskSid && { taskSid }),
  ...(workerSid && { workerSid }),
  startedAt: new Date(startedAt),
  endedAt: new Date(endedAt),
});
