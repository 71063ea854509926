import { defineScheduledJob } from '../queue/job.ts';

/** The jobs of this room; `index.ts` says how a worker runs each. */
export const retentionJobs = {
  /** Erases what the policy keeps no longer. */
  retention: defineScheduledJob({ name: 'retention', limitSeconds: 7_200 }),
  /** Removes what is over and old, beside the recordings. */
  trim: defineScheduledJob({ name: 'trim', limitSeconds: 900 }),
};
