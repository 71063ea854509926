import { defineScheduledJob } from '../../queue/job.ts';

/** The jobs of completeness; `run-jobs.ts` defines how a worker runs each. */
export const completenessJobs = {
  /** States the days that are over, and looks again at those that had unexplained segments. */
  completeness: defineScheduledJob({ name: 'completeness', limitSeconds: 60 * 60 }),
};
