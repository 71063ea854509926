import type { RecordingSid } from '@flex-custody/core';

/** A kind of job, declared once at the base of the room that runs it. Senders name the job by its declaration. */
export interface Job<D extends object = object, N extends string = string> {
  readonly name: N;
  /** How long one try may take before another worker may take the job. */
  readonly limitSeconds: number;
  /** One job with a key waits at a time, for each reason to send it (`once`). */
  key(data: D): string;
  /** Not urgent: its queue is polled less often, since each poll is work for the database. */
  readonly unhurried: boolean;
  /** Data of a scheduled job: none. */
  readonly scheduled: boolean;
  /** Its names in earlier releases: a start deletes their queues, with the jobs in them. */
  readonly formerly: readonly string[];
}

export type NoData = Record<string, never>;
export type OfRecording = { recordingSid: RecordingSid };
export const byRecording = ({ recordingSid }: OfRecording): string => recordingSid;

/** @param declared its `key` says of what type the data are */
export function defineJob<D extends object, N extends string>(
  declared: Pick<Job<D, N>, 'name' | 'limitSeconds' | 'key'> & Partial<Pick<Job, 'unhurried' | 'formerly'>>,
): Job<D, N> {
  return { unhurried: false, scheduled: false, formerly: [], ...declared };
}

export function defineScheduledJob<N extends string>(
  declared: Pick<Job<NoData, N>, 'name' | 'limitSeconds'>,
): Job<NoData, N> {
  return { ...declared, key: () => '', unhurried: true, scheduled: true, formerly: [] };
}

export interface JobInfo {
  /** 1 for the first try. */
  attempt: number;
  /** Aborted when the process ends and the time for finishing is over, or a try takes too long; the job is tried again later. */
  signal: AbortSignal;
}

export interface DeadJob<D extends object = object> {
  data: D;
  /** `retryable`: the job used up its tries, and another try might succeed; otherwise none can. */
  error: { code: string; message: string; retryable: boolean };
}

/** How a process runs a kind of job. */
export interface RunJob<D extends object = object> {
  job: Job<D>;
  concurrency: number;
  run(data: D, job: JobInfo): Promise<void>;
  /** Called with each job that failed for good, and again a minute later if it throws; without it such jobs wait. */
  dead?(dead: DeadJob<D>): Promise<void>;
  /** Interval of a scheduled job: it is sent now and at each interval, once for all processes together. */
  everySeconds?: number;
}
