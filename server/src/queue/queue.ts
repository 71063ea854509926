import type { RecordingSid } from '@flex-custody/core';
import type { Job, OfRecording, RunJob } from './job.ts';

export interface SendOptions {
  startAfterMs?: number;
  /**
   * The work has waited since then, in the past: what is newer is taken before it. For work that is sent again, of which there
   * may be much at once. Ignored beside `startAfterMs`.
   */
  since?: Date;
  /**
   * Why it is sent. While a job of the same name, key and reason waits for its first try, this one is dropped; one that is sent
   * for another reason, such as at another time, waits beside it.
   */
  once?: string;
}

/** One of many jobs of a kind. */
export type Sending<D extends object> = SendOptions & { data: D };

/**
 * Durable jobs, at least once. Of those that are due, half of each fetch are the newest and half the oldest: a backlog does not
 * delay what has just happened, and is worked off beside it. A job that throws is tried again with growing pauses, up to 12 times; then, or at once for
 * a CustodyError that is not retryable, it goes to the dead letters.
 */
export interface Queue {
  send<D extends object>(job: Job<D>, data: NoInfer<D>, options?: SendOptions): Promise<void>;
  /** The same of many, in one statement. */
  sendAll<D extends object>(job: Job<D>, sendings: readonly Sending<NoInfer<D>>[]): Promise<void>;
  /** Works on jobs until the queue stops. */
  work<D extends object>(run: RunJob<D>): Promise<void>;
  /** Those of these recordings for which such a job waits, for its first try or another. */
  waiting(job: Job<OfRecording>, sids: readonly RecordingSid[]): Promise<ReadonlySet<RecordingSid>>;
  /** Removes the jobs of this kind that wait. */
  purge(job: Job): Promise<void>;
  /**
   * Jobs by name and state; what is done is not among them, but for the last of each schedule. At most 15 s old, so that any
   * number of hosts cost one count in that time; `fresh` counts now.
   */
  counts(options?: { fresh?: boolean }): Promise<{ name: string; state: string; count: number }[]>;
  /** Takes no new job, waits up to `graceMs` (10 s) for those at work, then aborts them. */
  stop(graceMs?: number): Promise<void>;
}
