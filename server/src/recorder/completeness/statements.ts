import { createHash } from 'node:crypto';
import type { AccountSid } from '@flex-custody/core';
import type { Store } from '@flex-custody/vault';
import type { Alarms } from '../../alarms/alarms.ts';
import type { Marks } from '../../catalog/marks.ts';
import type { SigningIdentity } from '../../signing/identity.ts';
import { dayIn } from '../data-source/employees.ts';
import { type CompletePeriod, completePeriod } from '../repair/complete.ts';
import { haveRead } from '../sessions/kept/follow-inbox.ts';
import { daysAfter, isDay, startOf } from './day.ts';
import { type DayLedger, type LedgerDeps, ledgerOfDay, timeZoneOf } from './day-ledger.ts';
import { explainedSince } from './segment-reasons.ts';
import { claimVersion, keepDigest, statedDigest } from './statement-versions.ts';

export interface StatementDeps extends LedgerDeps {
  catalog: LedgerDeps['catalog'] & Marks;
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  signing: Pick<SigningIdentity, 'sign'>;
  store: Pick<Store, 'putBytes'>;
}

/** `typ` of a statement's signed text. */
export const statementType = 'completeness+jws';

/** Calls that began before midnight end, and their recordings are copied (ms). */
const restMs = 2 * 60 * 60_000;
/** Days back from the newest one whose ledgers are compared with their statements. */
const mostDays = 31;

const markName = 'completeness';

/** Where the statements continue. */
interface Stated {
  /** The last day that was stated. */
  until?: string;
  /** How many segments are unexplained, by day; days are left out if none is, and none has a reason that could be withdrawn. */
  unexplained: Readonly<Record<string, number>>;
}

/** Key of a statement in the bucket. Beside SIDs and counts it says who gave which reason; it is not encrypted. */
export const statementKey = (account: AccountSid, day: string, version = 1): string =>
  `statements/${account}/${day}${version === 1 ? '' : `.${version}`}.json`;

/**
 * Writes the statement of each day that is over by two hours, once TaskRouter's events until then are complete and the sessions have
 * read them. Days with segments that are unexplained, or that an operator gave a reason for, are computed again, and stated in another
 * version where the ledger changed.
 */
export async function stateDays(deps: StatementDeps, signal?: AbortSignal): Promise<void> {
  const { alarms, catalog, dataSource, db } = deps;
  const complete = await completePeriod(catalog);
  if (!complete) return;
  const timeZone = await timeZoneOf(dataSource);
  const oldest = daysAfter(dayIn(timeZone, complete.until), -mostDays);
  let stated = await readStated(catalog, oldest);
  const state = async (day: string, until = stated.until) => {
    const before = stated;
    const ledger = await ledgerOfDay(deps, day, signal);
    const count = ledger.outcomes.unexplained;
    await writeIfChanged(deps, ledger, complete);
    const { [day]: _, ...others } = before.unexplained;
    stated = {
      ...(until !== undefined && { until }),
      unexplained: count > 0 || ledger.explained.length > 0 ? { ...others, [day]: count } : others,
    };
    await report(alarms, before, stated);
    await catalog.setMark(markName, { ...stated });
  };
  const explained = await explainedSince(db, new Date(startOf(timeZone, oldest)));
  const { until = '' } = stated;
  const days = new Set([
    ...Object.keys(stated.unexplained),
    ...explained.map((at) => dayIn(timeZone, at)).filter((day) => day <= until),
  ]);
  for (const day of [...days].sort()) await state(day);
  for (let day = nextDay(stated, complete, timeZone); ; day = daysAfter(day, 1)) {
    const over = startOf(timeZone, daysAfter(day, 1)) + restMs;
    if (over > complete.until.getTime() || !(await haveRead(db, new Date(over)))) return;
    await state(day, day);
  }
}

/** @param oldest days before it are no longer looked at: their alarm stays until an operator clears it */
async function readStated(catalog: Pick<Marks, 'mark'>, oldest: string): Promise<Stated> {
  const { until, unexplained = {} } = (await catalog.mark(markName)) ?? {};
  const days = Object.entries(unexplained as Stated['unexplained']).filter(([day]) => day >= oldest);
  return {
    ...(typeof until === 'string' && isDay(until) && { until }),
    unexplained: Object.fromEntries(days),
  };
}

/** The day after the last one; a day whose events are not complete from its beginning is left out. */
function nextDay({ until }: Stated, { from }: CompletePeriod, timeZone: string): string {
  const first = dayIn(timeZone, from);
  const whole = startOf(timeZone, first) >= from.getTime() ? first : daysAfter(first, 1);
  return until === undefined || until < whole ? whole : daysAfter(until, 1);
}

/** Writes a version of the day's statement, unless the newest one has this ledger. */
async function writeIfChanged(
  { accountSid, db, signing, store }: StatementDeps,
  { explained, ...ledger }: DayLedger,
  complete: CompletePeriod,
): Promise<void> {
  // A comment is free text, and could name a caller.
  const stated = { ...ledger, explained: explained.map(({ comment: _, ...one }) => one) };
  const digest = createHash('sha256').update(JSON.stringify(stated)).digest('hex');
  const of = { accountSid, day: ledger.day };
  if ((await statedDigest(db, of)) === digest) return;
  const version = await claimVersion(db, of);
  const payload = JSON.stringify({ ...stated, version, eventsUntil: complete.until.toISOString() });
  const jws = await signing.sign(statementType, payload);
  const [header, body, signature] = jws.split('.');
  // The flattened JSON form of a JWS (RFC 7515, 7.2.2).
  const json = JSON.stringify({ protected: header, payload: body, signature });
  await store.putBytes(statementKey(accountSid, ledger.day, version), Buffer.from(json));
  await keepDigest(db, of, version, digest);
}

/** An operator may have cleared the alarm: only a change raises it again. */
async function report(alarms: StatementDeps['alarms'], before: Stated, now: Stated): Promise<void> {
  const [was, days] = [countsOf(before), countsOf(now)];
  if (was === days) return;
  if (days === '') return alarms.resolve(['segments_unexplained']);
  const [first] = days.split(':');
  await alarms.raise('segments_unexplained', undefined, `${days}; flex-custody completeness --day ${first}`);
}

/** Such as `2026-11-28: 3, 2026-11-29: 1`; empty if none is unexplained. */
const countsOf = ({ unexplained }: Stated): string =>
  Object.entries(unexplained)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([day, count]) => `${day}: ${count}`)
    .join(', ');
