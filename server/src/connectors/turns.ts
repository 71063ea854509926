/** A class of requests, and the limit that the other system states for it. */
export interface LimitClass {
  /** In the table of budgets, such as `brevo events`. */
  name: string;
  /** Requests in a window. */
  limit: number;
  windowMs: number;
  /**
   * The most that answers may raise the limit to, where the other system publishes none; by default answers only lower it.
   */
  most?: number;
}

/** The other system counts in windows of its own clock, and requests are late by different times: both fit into this. */
const marginShare = 0.04;
const mostMarginMs = 5_000;
/** Only a long window has room for requests at once beside the even ones. */
const burstShare = 0.03;
const shortWindowMs = 60_000;

/** How long a window is for us: a little longer than for the other system. */
export const spanOf = ({ windowMs }: LimitClass) => windowMs + Math.min(windowMs * marginShare, mostMarginMs);

/** A turn that is not used within so many ms is lost: together with the next ones it would be too many. */
export const latenessOf = (of: LimitClass) => (spanOf(of) - of.windowMs) / 2;

const permittedBy = (of: LimitClass, limit = of.limit) => Math.min(limit, of.most ?? of.limit);

/** How many requests after a rest may begin at once, beside the first. */
export const burstOf = (of: LimitClass, limit?: number) =>
  of.windowMs < shortWindowMs ? 0 : Math.floor(permittedBy(of, limit) * burstShare);

/**
 * Milliseconds between two turns: a window never has more than the limit, the burst included.
 * @param limit of the window, as the other system's answers last stated it
 */
export const intervalOf = (of: LimitClass, limit?: number) =>
  spanOf(of) / (permittedBy(of, limit) - burstOf(of, limit));

/** What a process was given, in ms of the database's clock. */
export interface Grant {
  /** When the turn after the last of these is due, without a burst. */
  nextAt: number;
  /** None of them begins before. */
  notBefore: number;
  count: number;
  intervalMs: number;
  burst: number;
}

/** When each of the granted turns begins, in order. */
export const turnsOf = ({ nextAt, notBefore, count, intervalMs, burst }: Grant): number[] =>
  Array.from({ length: count }, (_, index) =>
    Math.max(notBefore, nextAt - (count - index + burst) * intervalMs),
  );
