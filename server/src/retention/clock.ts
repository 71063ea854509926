import type { TwilioApi } from '@flex-custody/twilio';
import type { KeepingCatalog } from '../catalog/keeping-catalog.ts';

export interface ClockDeps {
  catalog: Pick<KeepingCatalog, 'now'>;
  twilio: Pick<TwilioApi, 'account'>;
}

/** The time that decides what is destroyed: the database's, if no other clock contradicts it. */
export interface ClockReading {
  now: Date;
  /** Of all clocks that are known: nothing later may be taken for past. */
  earliest: Date;
  /** Why nothing may be destroyed by this time. */
  differs?: string;
}

const mostApartMs = 5 * 60_000;
/** Twilio's time is asked for once in so many ms; in between the host adds the time of its monotonic clock. */
const askedAgainMs = 60_000;

/** The date of Twilio's answer, and the monotonic time at which it arrived. */
interface Seen {
  theirs: number;
  at: number;
}
const seen = new WeakMap<object, Seen>();

/**
 * Reads the database's time and compares it with this process's and Twilio's: one of the three clocks may be wrong.
 * @throws CustodyError as Twilio and the database do, if they do not answer
 */
export async function readClock(deps: ClockDeps): Promise<ClockReading> {
  const isRemembered = isFresh(seen.get(deps.twilio));
  const reading = await compare(deps);
  if (!reading.differs || !isRemembered) return reading;
  // Twilio's cached time, or this host's clock, may have changed since: ask Twilio again.
  seen.delete(deps.twilio);
  return compare(deps);
}

async function compare({ catalog, twilio }: ClockDeps): Promise<ClockReading> {
  const theirs = await twilioTime(twilio);
  const now = await catalog.now();
  const clocks: [string, number][] = [
    ["the database's clock", now.getTime()],
    ["this host's clock", Date.now()],
    ...(theirs === undefined ? [] : [["Twilio's clock", theirs] satisfies [string, number]]),
  ];
  clocks.sort(([, a], [, b]) => a - b);
  const [first, last] = [clocks[0], clocks.at(-1)];
  const earliest = new Date(first?.[1] ?? now);
  if (theirs === undefined) return { now, earliest, differs: "Twilio's answer has no date to compare with" };
  const apartMs = first && last ? last[1] - first[1] : 0;
  if (apartMs <= mostApartMs) return { now, earliest };
  return {
    now,
    earliest,
    differs: `${last?.[0]} is ${Math.round(apartMs / 1_000)} s ahead of ${first?.[0]}`,
  };
}

/** A run calls it before its first deletion: it then asks Twilio for the time instead of using an answer of the last minute. */
export const forgetTwilioTime = ({ twilio }: Pick<ClockDeps, 'twilio'>): void => void seen.delete(twilio);

const isFresh = (one: Seen | undefined): one is Seen =>
  one !== undefined && performance.now() - one.at < askedAgainMs;

async function twilioTime(twilio: ClockDeps['twilio']): Promise<number | undefined> {
  const known = seen.get(twilio);
  if (isFresh(known)) return known.theirs + performance.now() - known.at;
  const account = await twilio.account();
  if (account?.aheadMs === undefined) return undefined;
  const theirs = Date.now() + account.aheadMs;
  seen.set(twilio, { theirs, at: performance.now() });
  return theirs;
}
