import { defineScheduledJob } from '../../queue/job.ts';

/** The jobs of short calls; `run-jobs.ts` defines how a worker runs each. */
export const shortCallJobs = {
  /** Deletes the audio of calls below the minimum length. */
  shortCalls: defineScheduledJob({ name: 'short-calls', limitSeconds: 60 * 60 }),
};
