import type { AlarmWebhook, ConferenceSid, RecordingSid, TaskSid } from '@flex-custody/core';

/** Every kind of job and its data. */
export interface Jobs {
  copy: { recordingSid: RecordingSid };
  verify: { recordingSid: RecordingSid };
  link: { recordingSid: RecordingSid };
  /** Looks after a pause. */
  resume: { conferenceSid: ConferenceSid };
  /** Gives every open pause its job, if it has lost it. */
  pauses: Record<string, never>;
  /** Takes the reports that waited for IAM. */
  reports: Record<string, never>;
  /** Looks at one live call. */
  call: { taskSid: TaskSid; conferenceSid?: ConferenceSid };
  /** Holds all live calls against their recordings. */
  calls: Record<string, never>;
  /** Asks Twilio whose call a recording is of. */
  facts: { recordingSid: RecordingSid };
  janitor: Record<string, never>;
  /** Writes the sidecar of a verified recording, with what is known of it now. */
  describe: { recordingSid: RecordingSid };
  /** Writes talk metrics into the measures of the task's conversation. */
  measure: { taskSid: TaskSid };
  /** Compares Twilio's newest recordings with the catalog. */
  reconcile: Record<string, never>;
  /** Compares the bucket with the catalog. */
  compare: Record<string, never>;
  /** Reads Twilio's media once more and holds the copy against it. */
  prove: { recordingSid: RecordingSid };
  /** Deletes originals at Twilio whose time has come. */
  sources: Record<string, never>;
  /** Erases what the policy keeps no longer. */
  retention: Record<string, never>;
  /** Signs the sidecars that no host has signed. */
  sign: Record<string, never>;
  /** Removes what is over and old, beside the recordings. */
  trim: Record<string, never>;
  /** Sends one alarm to CUSTODY_ALARM_WEBHOOK. */
  webhook: Pick<AlarmWebhook, 'id' | 'event' | 'at'> & { alarm: number };
  /** Gives each alarm that is to be sent its job. */
  webhooks: Record<string, never>;
}
export type JobName = keyof Jobs;
/** Jobs of a schedule, without data. */
export type ScheduledName =
  | 'calls'
  | 'janitor'
  | 'pauses'
  | 'reports'
  | 'reconcile'
  | 'compare'
  | 'sources'
  | 'retention'
  | 'sign'
  | 'trim'
  | 'webhooks';

export interface SendOptions {
  startAfterMs?: number;
  /**
   * The work has waited since then, in the past: what is newer is taken before it. For work that is sent again, of which there
   * may be much at once. Ignored beside `startAfterMs`.
   */
  since?: Date;
  /** While a job of this name and key waits for its first try, another send of the same is dropped. */
  once?: string;
}

export interface JobInfo {
  /** 1 for the first try. */
  attempt: number;
  /** Aborted when the process ends and the time for finishing is over, or a try takes too long; the job is tried again later. */
  signal: AbortSignal;
}

export interface DeadJob<N extends JobName = JobName> {
  name: N;
  data: Jobs[N];
  /** `retryable`: its tries ran out, and one more might have succeeded; else it could never have. */
  error: { code: string; message: string; retryable: boolean };
}

/** One of many jobs of a kind. */
export type Sending<N extends JobName> = SendOptions & { data: Jobs[N] };

/**
 * Durable jobs, at least once. Of those that are due, half of each fetch are the newest and half the oldest: a backlog does not
 * delay what has just happened, and is worked off beside it. A job that throws is tried again with growing pauses, up to 12 times; then, or at once for
 * a CustodyError that is not retryable, it goes to the dead letters.
 */
export interface Queue {
  send<N extends JobName>(name: N, data: Jobs[N], options?: SendOptions): Promise<void>;
  /** The same of many, in one statement. */
  sendAll<N extends JobName>(name: N, jobs: readonly Sending<N>[]): Promise<void>;
  work<N extends JobName>(
    name: N,
    options: { concurrency: number },
    handler: (data: Jobs[N], job: JobInfo) => Promise<void>,
  ): Promise<void>;
  /** Hears of every dead job; called again when it throws. */
  onDead(handler: (dead: DeadJob) => Promise<void>): Promise<void>;
  /** Sends `name` now and every `seconds`, once for all processes together. */
  every(name: ScheduledName, seconds: number): Promise<void>;
  /** Those of these recordings for which a job of this name waits, for its first try or another. */
  waiting(
    name: Exclude<JobName, ScheduledName | 'resume' | 'call' | 'webhook'>,
    sids: readonly RecordingSid[],
  ): Promise<ReadonlySet<RecordingSid>>;
  /** Removes the jobs of this name that wait. */
  purge(name: JobName): Promise<void>;
  /**
   * Jobs by name and state; what is done is not among them, but for the last of each schedule. At most 15 s old, so that any
   * number of hosts cost one count in that time; `fresh` counts now.
   */
  counts(options?: { fresh?: boolean }): Promise<{ name: string; state: string; count: number }[]>;
  /** Takes no new job, waits up to `graceMs` (10 s) for those at work, then aborts them. */
  stop(graceMs?: number): Promise<void>;
}
