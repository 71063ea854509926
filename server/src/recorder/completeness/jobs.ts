import { defineScheduledJob } from '../../queue/job.ts';

/** The jobs of completeness; `run-jobs.ts` defines how a worker runs each. */
export const completenessJobs = {
  /** Looks for segments of calls that are over, and whose recording has not come. */
  missing: defineScheduledJob({ name: 'missing', limitSeconds: 10 * 60 }),
  /** States the days that are over, and looks again at those that had unexplained segments. */
  completeness: defineScheduledJob({ name: 'completeness', limitSeconds: 60 * 60 }),
};
