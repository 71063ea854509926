import type { AccountSid, ReservationSid, TaskSid, WorkerSid } from '@flex-custody/core';
import type { LookupCatalog } from '../../catalog/lookup-catalog.ts';
import type { Db } from '../../db/db.ts';
import type { DataSources } from '../data-source/data-source.ts';
import { contactsOpened } from '../sessions/kept/contacts-table.ts';
import { daysAfter, startOf } from './day.ts';
import { type Entry, ledgerOf, type Outcome, outcomes } from './ledger.ts';
import { reportedPauses } from './reported-pauses.ts';

export interface LedgerDeps {
  accountSid: AccountSid;
  db: Pick<Db, 'query'>;
  catalog: Pick<LookupCatalog, 'ofContacts'>;
  dataSource: Pick<DataSources, 'current'>;
}

/** A segment without a recording, and without a reason. */
export interface Unexplained {
  contact: string;
  reservationSid?: ReservationSid;
  taskSid?: TaskSid;
  workerSid?: WorkerSid;
  startedAt: Date;
  endedAt: Date;
}

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
  unexplained: readonly Unexplained[];
}

/** Contacts that are read at once. */
const pageRows = 100;

export const timeZoneOf = async (dataSource: Pick<DataSources, 'current'>): Promise<string> =>
  (await dataSource.current())?.settings.timeZone ?? 'UTC';

/** @param day such as 2026-11-28, in the data source's time zone */
export async function ledgerOfDay(deps: LedgerDeps, day: string, signal?: AbortSignal): Promise<DayLedger> {
  const { accountSid: account, catalog, dataSource, db } = deps;
  const timeZone = await timeZoneOf(dataSource);
  const [from, to] = [startOf(timeZone, day), startOf(timeZone, daysAfter(day, 1))];
  const counts = Object.fromEntries(outcomes.map((name) => [name, 0])) as Record<Outcome, number>;
  const unexplained: Unexplained[] = [];
  let [contacts, open, erased] = [0, 0, 0];
  for (let after = { openedAt: from, number: 0 }; ; ) {
    signal?.throwIfAborted();
    const page = await contactsOpened(db, after, to, pageRows);
    const read = page.map(({ contact }) => contact);
    const recordings = await catalog.ofContacts(read.flatMap(({ keys }) => keys));
    const tasks = read.flatMap(({ interactions }) => interactions.flatMap(({ taskSid }) => taskSid ?? []));
    for (const entry of ledgerOf(read, recordings, await reportedPauses(db, tasks))) {
      counts[entry.outcome] += 1;
      if (entry.outcome === 'recorded' && entry.isErased) erased += 1;
      if (entry.outcome === 'unexplained') unexplained.push(unexplainedOf(entry));
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
    ...{ contacts, open, outcomes: counts, erased, unexplained },
  };
}

const unexplainedOf = ({ contact, reservationSid, taskSid, workerSid, startedAt, endedAt }: Entry) => ({
  contact,
  ...(reservationSid && { reservationSid }),
  ...(taskSid && { taskSid }),
  ...(workerSid && { workerSid }),
  startedAt: new Date(startedAt),
  endedAt: new Date(endedAt),
});
