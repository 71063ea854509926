import type { LimitReport } from './budget.ts';
import { intervalOf, type LimitClass } from './turns.ts';

const hourMs = 3_600_000;
/** The longest window that any system states. */
const mostResetSeconds = 3_600;
/** Whole seconds say too little of a window that ends sooner. */
const leastResetSeconds = 3;
/** A fraction of this size is a rounding. */
const rounding = 0.001;

/** What a report changes in the budget. */
export interface Correction {
  /** Requests in a window of the class. */
  limit?: number;
  /** So many may begin until the window ends. */
  left?: { count: number; forMs: number };
}

/** What a process knows of the class's budget, as of its last statement. */
export interface Known {
  limit?: number | undefined;
  /** While `resetsAt` is ahead, in the same ms as `now`. */
  remaining?: number | undefined;
  resetsAt?: number | undefined;
}

const isCount = (value: number | undefined): value is number =>
  value !== undefined && Number.isFinite(value) && value >= 0;

/**
 * What of a report is news; undefined where nothing is, as for almost every answer: only news costs a statement. A window that
 * ends later than ours is one of an hour, whose limit may be spread over all of our windows.
 */
export function correctionBy(
  of: LimitClass,
  { limit, remaining, resetSeconds }: LimitReport,
  known: Known,
  now: number,
): Correction | undefined {
  const reset = isCount(resetSeconds) ? Math.min(resetSeconds, mostResetSeconds) : undefined;
  const ofHour = reset !== undefined && reset * 1_000 > of.windowMs + 1_000;
  const correction: Correction = {};
  if (isCount(limit) && limit > 0) {
    const mine = Math.min(of.most ?? of.limit, ofHour ? (limit * of.windowMs) / hourMs : limit);
    const before = known.limit ?? of.limit;
    if (Math.abs(mine - before) > before * rounding) correction.limit = mine;
  }
  if (isCount(remaining) && reset !== undefined && reset >= leastResetSeconds) {
    const isKnown = known.remaining !== undefined && (known.resetsAt ?? 0) > now;
    const ours = (reset * 1_000) / intervalOf(of, correction.limit ?? known.limit);
    // A second more, since what is stated is cut to whole seconds.
    if (remaining < Math.min(isKnown ? (known.remaining ?? 0) : Number.POSITIVE_INFINITY, ours))
      correction.left = { count: Math.floor(remaining), forMs: (reset + 1) * 1_000 };
  }
  return Object.keys(correction).length > 0 ? correction : undefined;
}
