import { defineScheduledJob } from '../queue/job.ts';

/** The jobs of connectors; `run-jobs.ts` defines how a worker runs each. */
export const connectorJobs = {
  /** Looks at what waits, what failed and what is uncertain. */
  outbox: defineScheduledJob({ name: 'outbox', limitSeconds: 60 }),
};
