import type { Alarms } from '../../../alarms/alarms.ts';
import type { Db } from '../../../db/db.ts';
import type { Contact } from '../contact.ts';
import { auditing, longCall, longHolds, shortCall } from '../policies.ts';
import { dropLooseReports, looseReports } from './closed-contacts.ts';
import {
  type KeptContact,
  keepDecisions,
  keepReport,
  keepResolved,
  type Report,
  readContacts,
  readReports,
  unfinishedContacts,
} from './contacts-table.ts';

/** The data source's settings that policies follow. */
export interface PolicySettings {
  /** 0: none. */
  minimumSeconds: number;
  longCallMinutes: number;
  longHoldMinutes: number;
}

export interface PolicyDeps {
  db: Pick<Db, 'query'>;
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  settings(): Promise<PolicySettings>;
  /** Epoch ms; by default the database's time, which all processes have in common. */
  now?: () => Promise<number>;
}

/** Contacts that one look of the tick reads. */
const pageRows = 200;

/** The maintenance tick: applies the policies to every contact that is open, or closed and not shown yet. */
export async function applyToAll(deps: PolicyDeps, signal?: AbortSignal): Promise<void> {
  const settings = await deps.settings();
  const loose = await looseReports(deps.db);
  for (const subject of loose) await deps.alarms.resolve(['long_call', 'long_hold'], sessionSubject(subject));
  if (loose.length > 0) await dropLooseReports(deps.db, loose);
  for (let after = 0; !signal?.aborted; ) {
    const page = await unfinishedContacts(deps.db, after, pageRows);
    await applyTo(deps, page, settings);
    const last = page.at(-1);
    if (!last || page.length < pageRows) return;
    after = last.number;
  }
}

/** Applies the policies to contacts that have changed. */
export async function applyToSome(deps: PolicyDeps, numbers: readonly number[]): Promise<void> {
  await applyTo(deps, await readContacts(deps.db, numbers), await deps.settings());
}

async function applyTo(
  { db, alarms, now = () => timeOf(db) }: PolicyDeps,
  contacts: readonly KeptContact[],
  settings: PolicySettings,
): Promise<void> {
  if (contacts.length === 0) return;
  const at = await now();
  const reports = await readReports(
    db,
    contacts.map(({ number }) => number),
  );
  for (const kept of contacts) {
    const { contact, number } = kept;
    const own = reports.filter((one) => one.contact === number);
    const due = dueOf(contact, number, settings, at, own);
    for (const { report, detail } of due) {
      // An alarm that is raised twice, since the process stopped in between, is one alarm.
      const subject = sessionSubject(report.subject);
      if (report.code === 'long_call') await alarms.raise('long_call', subject, detail);
      else await alarms.raise('long_hold', subject, detail);
      await keepReport(db, report);
    }
    for (const report of overOf(contact, [...own, ...due.map((one) => one.report)])) {
      await alarms.resolve(['long_call', 'long_hold'], sessionSubject(report.subject));
      await keepResolved(db, report);
    }
    const next = decisionsOf(kept, settings, at);
    if (next) await keepDecisions(db, { number, ...next });
  }
}

async function timeOf(db: PolicyDeps['db']): Promise<number> {
  const [row] = await db.query<{ now: Date }>('SELECT now()');
  return row?.now.getTime() ?? Date.now();
}

const sessionSubject = (id: string) => `session-${id}` as const;

interface Due {
  report: Report;
  detail: string;
}

/** The alarms that a contact needs and does not have yet. */
function dueOf(
  contact: Contact,
  number: number,
  { longCallMinutes, longHoldMinutes }: PolicySettings,
  now: number,
  reports: readonly Report[],
): Due[] {
  const call = longCall(contact, longCallMinutes, now);
  const isReported = reports.some(({ code }) => code === 'long_call');
  const of = (code: Report['code'], since: number, subject: string): Report => ({
    ...{ contact: number, code, subject },
    since: new Date(since),
    resolved: false,
  });
  const holds = longHolds(
    contact,
    longHoldMinutes,
    now,
    reports.filter(({ code }) => code === 'long_hold').map(({ since }) => ({ startedAt: since.getTime() })),
  );
  return [
    ...(call && !isReported
      ? [
          {
            report: of('long_call', call.since, contact.id),
            detail: `the call of ${contact.id} ${call.open ? 'has lasted' : 'lasted'} for ${longCallMinutes} minutes or more; the host ${call.open ? 'closed its tracking and ' : ''}keeps its recordings`,
          },
        ]
      : []),
    ...holds.map(({ startedAt, reservationSid }) => ({
      report: of('long_hold', startedAt, `${reservationSid ?? contact.id}/${startedAt}`),
      detail: `${reservationSid ? `the agent of ${reservationSid}` : 'an agent'} has a caller on hold for ${longHoldMinutes} minutes or more, in the call of ${contact.id}`,
    })),
  ];
}

/** Reports whose cause has ended. */
function overOf(contact: Contact, reports: readonly Report[]): Report[] {
  const isOver = ({ code, since }: Report) =>
    contact.closedAt !== undefined ||
    (code === 'long_hold' && !contact.holds.some((hold) => lasts(hold, since.getTime())));
  return reports.filter((report) => !report.resolved && isOver(report));
}

/** A more exact source can move a hold's beginning by this (ms). */
const slackMs = 5_000;

const lasts = ({ startedAt, endedAt }: Contact['holds'][number], since: number): boolean =>
  endedAt === undefined && since >= startedAt - slackMs;

/** What changes of the contact's row; undefined for nothing. */
function decisionsOf(
  { contact, trackingClosedAt, shortSeconds, shownAt }: KeptContact,
  { minimumSeconds, longCallMinutes }: PolicySettings,
  now: number,
): Omit<KeptContact, 'number' | 'contact' | 'shortCertificates'> | undefined {
  const isLong = longCall(contact, longCallMinutes, now)?.open === true;
  const short = shortCall(contact, minimumSeconds)?.seconds;
  const isShown = auditing(contact).shown;
  const same =
    (!isLong || trackingClosedAt !== undefined) &&
    short === shortSeconds &&
    (!isShown || shownAt !== undefined);
  if (same) return undefined;
  return {
    ...(isLong && { trackingClosedAt: new Date(now) }),
    ...(short !== undefined && { shortSeconds: short }),
    ...(isShown && { shownAt: new Date(now) }),
  };
}
