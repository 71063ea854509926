import { defineScheduledJob } from '../../queue/job.ts';

/** The jobs of call recovery; `run-jobs.ts` defines how a worker runs each. */
export const recoveryJobs = {
  /** Asks Twilio for the recordings that calls lack which have closed lately. */
  recover: defineScheduledJob({ name: 'recover', limitSeconds: 15 * 60 }),
};
