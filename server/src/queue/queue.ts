import type { RecordingSid } from '@flex-custody/core';
import type { Job, OfRecording, RunJob } from './job.ts';

export interface SendOptions {
  startAfterMs?: number;
  /**
   * Past time since which the work has waited: newer jobs are taken before it. For work that is sent again, of which there
   * may be much at once. Ignored beside `startAfterMs`.
   */
  since?: Date;
  /**
   * Reason to send it. While a job of the same name, key and reason waits for its first try, this one is dropped; a job with
   * another reason waits beside it.
   */
  once?: string;
}

/** One of many jobs of a kind. */
export type Sending<D extends object> = SendOptions & { data: D };

/**
 * Durable jobs, run at least once. Half of each fetch are the newest due jobs and half the oldest: a backlog does not delay new
 * work, and shrinks beside it. A job that throws is retried with growing pauses, up to 12 times; then, or at once after a
 * CustodyError that is not retryable, it becomes a dead letter.
 */
export interface Queue {
  send<D extends object>(job: Job<D>, data: NoInfer<D>, options?: SendOptions): Promise<void>;
  /** Sends many jobs of a kind in one statement. */
  sendAll<D extends object>(job: Job<D>, sendings: readonly Sending<NoInfer<D>>[]): Promise<void>;
  /** Runs jobs until the queue stops. */
  work<D extends object>(run: RunJob<D>): Promise<void>;
  /** The recordings for which such a job waits, for its first try or another. */
  waiting(job: Job<OfRecording>, sids: readonly RecordingSid[]): Promise<ReadonlySet<RecordingSid>>;
  /**
   * Jobs by name and state, without done ones except the last of each schedule. At most 15 s old, so that any number of hosts
   * cost one count in that time; `fresh` counts now.
   */
  counts(options?: { fresh?: boolean }): Promise<{ name: string; state: string; count: number }[]>;
  /** Takes no new job, waits up to `graceMs` (10 s) for running ones, then aborts them. */
  stop(graceMs?: number): Promise<void>;
}
