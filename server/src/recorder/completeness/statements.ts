import type { AccountSid } from '@flex-custody/core';
import type { Store } from '@flex-custody/vault';
import type { Alarms } from '../../alarms/alarms.ts';
import type { Marks } from '../../catalog/marks.ts';
import type { SigningIdentity } from '../../signing/identity.ts';
import { dayIn } from '../data-source/employees.ts';
import { type CompletePeriod, completePeriod } from '../repair/complete.ts';
import { haveRead } from '../sessions/kept/follow-inbox.ts';
import { daysAfter, isDay, startOf } from './day.ts';
import { type LedgerDeps, ledgerOfDay, timeZoneOf } from './day-ledger.ts';

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
/** Days back from the newest one that unexplained segments are looked for again. */
const mostDays = 31;

const markName = 'completeness';

/** Where the statements continue. */
interface Stated {
  /** The last day that was stated. */
  until?: string;
  /** How many segments are unexplained, by day; days without are left out. */
  unexplained: Readonly<Record<string, number>>;
}

/** Key of a statement in the bucket. It holds SIDs and counts alone, and is not encrypted. */
export const statementKey = (account: AccountSid, day: string): string => `statements/${account}/${day}.json`;

/**
 * Writes the statement of each day that is over by two hours, once TaskRouter's events until then are complete and the sessions have
 * read them. Days that had unexplained segments are computed again, and stated again where the number changed.
 */
export async function stateDays(deps: StatementDeps, signal?: AbortSignal): Promise<void> {
  const { alarms, catalog, dataSource, db } = deps;
  const complete = await completePeriod(catalog);
  if (!complete) return;
  const timeZone = await timeZoneOf(dataSource);
  let stated = await readStated(catalog, daysAfter(dayIn(timeZone, complete.until), -mostDays));
  const state = async (day: string, until = stated.until) => {
    const before = stated;
    const ledger = await ledgerOfDay(deps, day, signal);
    const count = ledger.outcomes.unexplained;
    if (until !== before.until || count !== before.unexplained[day])
      await writeStatement(deps, day, { ...ledger, eventsUntil: complete.until.toISOString() });
    const { [day]: _, ...others } = before.unexplained;
    stated = {
      ...(until !== undefined && { until }),
      unexplained: count > 0 ? { ...others, [day]: count } : others,
    };
    await report(alarms, before, stated);
    await catalog.setMark(markName, { ...stated });
  };
  for (const day of Object.keys(stated.unexplained).sort()) await state(day);
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

async function writeStatement(
  { accountSid, signing, store }: StatementDeps,
  day: string,
  statement: object,
): Promise<void> {
  const jws = await signing.sign(statementType, JSON.stringify(statement));
  const [header, payload, signature] = jws.split('.');
  // The flattened JSON form of a JWS (RFC 7515, 7.2.2).
  const json = JSON.stringify({ protected: header, payload, signature });
  await store.putBytes(statementKey(accountSid, day), Buffer.from(json));
}

/** An operator may have cleared the alarm: only a change raises it again. */
async function report(alarms: StatementDeps['alarms'], before: Stated, now: Stated): Promise<void> {
  const days = Object.entries(now.unexplained).sort(([a], [b]) => (a < b ? -1 : 1));
  if (days.length === 0) {
    if (Object.keys(before.unexplained).length > 0) await alarms.resolve(['segments_unexplained']);
    return;
  }
  const isSame = days.length === Object.keys(before.unexplained).length;
  if (isSame && days.every(([day, count]) => before.unexplained[day] === count)) return;
  const [first] = days[0] ?? [];
  await alarms.raise(
    'segments_unexplained',
    undefined,
    `${days.map(([day, count]) => `${day}: ${count}`).join(', ')}; flex-custody completeness --day ${first}`,
  );
}
