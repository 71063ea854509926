import { defineScheduledJob } from '../queue/job.ts';

/** The jobs of this room; `index.ts` defines how a worker runs each. */
export const retentionJobs = {
  /** Erases the recordings whose period in the policy is over. */
  retention: defineScheduledJob({ name: 'retention', limitSeconds: 7_200 }),
  /** Removes old rows other than recordings, such as closed alarms. */
  trim: defineScheduledJob({ name: 'trim', limitSeconds: 900 }),
};
