import type { TaskSid } from '@flex-custody/core';
import { byRecording, defineJob, defineScheduledJob } from '../queue/job.ts';

/** The jobs of this room; `run-jobs.ts` defines how a worker runs each. */
export const ingestJobs = {
  copy: defineJob({ name: 'copy', limitSeconds: 7_200, key: byRecording }),
  verify: defineJob({ name: 'verify', limitSeconds: 7_200, key: byRecording }),
  link: defineJob({ name: 'link', limitSeconds: 300, key: byRecording }),
  /** Writes the sidecar of a verified recording, with its present facts. */
  describe: defineJob({ name: 'describe', limitSeconds: 7_200, key: byRecording }),
  /** Writes talk metrics into the measures of the task's conversation. */
  measure: defineJob({
    name: 'measure',
    limitSeconds: 300,
    key: ({ taskSid }: { taskSid: TaskSid }) => taskSid,
    unhurried: true,
  }),
  /** Reads Twilio's media once more and compares the copy with it. */
  prove: defineJob({ name: 'prove', limitSeconds: 7_200, key: byRecording, unhurried: true }),
  janitor: defineScheduledJob({ name: 'janitor', limitSeconds: 900 }),
  /** Compares Twilio's newest recordings with the catalog. */
  reconcile: defineScheduledJob({ name: 'reconcile', limitSeconds: 7_200 }),
  /**
   * Compares the bucket with the catalog. A pass over a very large bucket takes long; pg-boss allows limits under 24 h.
   * The run's own hold lapses in a minute.
   */
  compare: defineScheduledJob({ name: 'compare', limitSeconds: 82_800 }),
  /** Deletes originals at Twilio that are due. */
  sources: defineScheduledJob({ name: 'sources', limitSeconds: 900 }),
  /** Signs unsigned sidecars. */
  sign: defineScheduledJob({ name: 'sign', limitSeconds: 7_200 }),
};
