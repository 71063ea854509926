import type { TwilioApi } from '@flex-custody/twilio';
import type { KeepingCatalog } from '../catalog/keeping-catalog.ts';

export interface ClockDeps {
  catalog: Pick<KeepingCatalog, 'now'>;
  twilio: Pick<TwilioApi, 'account'>;
}

/** What is destroyed by a time is destroyed by the database's, where nothing says that it is wrong. */
export interface ClockReading {
  now: Date;
  /** Why nothing may be destroyed by it. */
  differs?: string;
}

const mostApartMs = 5 * 60_000;
/** Twilio's time is asked for so often; in between it goes on with the machine's steady clock, which nobody sets. */
const askedAgainMs = 60_000;

/** What Twilio's answer was dated, and when by the steady clock. */
interface Seen {
  theirs: number;
  at: number;
}
const seen = new WeakMap<object, Seen>();

/**
 * The database's time, held against this process's and Twilio's: three clocks of which one may be wrong.
 * @throws CustodyError as Twilio and the database do, where they cannot be asked
 */
export async function readClock(deps: ClockDeps): Promise<ClockReading> {
  const isRemembered = isFresh(seen.get(deps.twilio));
  const reading = await compare(deps);
  if (!reading.differs || !isRemembered) return reading;
  // A minute ago Twilio's answer, or this host's clock, may have been another.
  seen.delete(deps.twilio);
  return compare(deps);
}

async function compare({ catalog, twilio }: ClockDeps): Promise<ClockReading> {
  const theirs = await twilioTime(twilio);
  const now = await catalog.now();
  if (theirs === undefined) return { now, differs: "Twilio's answer bears no date to compare with" };
  const clocks: [string, number][] = [
    ["the database's clock", now.getTime()],
    ["this host's clock", Date.now()],
    ["Twilio's clock", theirs],
  ];
  clocks.sort(([, a], [, b]) => a - b);
  const [first, last] = [clocks[0], clocks.at(-1)];
  const apartMs = first && last ? last[1] - first[1] : 0;
  if (apartMs <= mostApartMs) return { now };
  return { now, differs: `${last?.[0]} is ${Math.round(apartMs / 1_000)} s ahead of ${first?.[0]}` };
}

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
