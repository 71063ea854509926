import { defineScheduledJob } from '../queue/job.ts';

/** The jobs of this room; `run-jobs.ts` defines how a worker runs each. */
export const eventJobs = {
  /** Watches the delay of agents' events, and takes in those whose type this release handles newly. */
  events: defineScheduledJob({ name: 'events', limitSeconds: 300 }),
};
