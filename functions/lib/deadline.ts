/**
 * Time as a Function has it: Twilio ends the process 10 s after the request arrived, whatever it is doing
 * (https://www.twilio.com/docs/errors/82002), so that nothing may be begun that cannot also be cleaned up.
 */
export interface Deadline {
  /** Ms since the handler began. */
  elapsed(): number;
  /** Ms until the process is ended. */
  left(): number;
  /** Fires while there is still time to take back what was begun. */
  readonly signal: AbortSignal;
}

export const limitMs = 10_000;
/** Kept free at the end: completing the upload, the report and the answer. */
export const finishMs = 1_500;
/** When unfinished work is dropped: the last second is for removing its parts and for the report. */
export const abortAtMs = 9_000;

export function startDeadline(now: () => number = performance.now.bind(performance)): Deadline {
  const startedAt = now();
  return {
    elapsed: () => now() - startedAt,
    left: () => limitMs - (now() - startedAt),
    signal: AbortSignal.timeout(abortAtMs),
  };
}

/**
 * Whether `bytes` can be copied in the time left.
 * @param bytes expected size; undefined where Twilio states none: the copy is then tried, and dropped at the deadline
 * @param rate bytes per second that recent copies reached
 */
export function fits(bytes: number | undefined, rate: number, deadline: Deadline): boolean {
  const leftMs = deadline.left() - finishMs;
  return leftMs > 0 && (bytes === undefined || (bytes / rate) * 1000 <= leftMs);
}

/** Whole ms that one request may take: what it usually may, and no more than is left to answer in. */
export function timeLimit(usualMs: number, deadline: Deadline): number {
  return Math.max(1, Math.floor(Math.min(usualMs, deadline.left() - 100)));
}
