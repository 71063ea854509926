import { defineScheduledJob } from '../queue/job.ts';

/** Jobs of delivery; `run-jobs.ts` defines how a worker runs each. */
export const deliveryJobs = {
  /** Looks at what waits, what failed and what is uncertain. */
  outbox: defineScheduledJob({ name: 'outbox', limitSeconds: 60 }),
  /** Removes erased customers at the other system. */
  forget: defineScheduledJob({ name: 'forget', limitSeconds: 10 * 60 }),
};
