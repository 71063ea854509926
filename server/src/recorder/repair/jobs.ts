import { defineScheduledJob } from '../../queue/job.ts';

/** The jobs of gap repair; `run-jobs.ts` defines how a worker runs each. */
export const repairJobs = {
  /** Compares TaskRouter's latest events with the inbox. */
  repair: defineScheduledJob({ name: 'repair', limitSeconds: 60 * 60 }),
};
