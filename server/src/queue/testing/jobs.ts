import { byRecording, defineJob, defineScheduledJob } from '../job.ts';

/** Jobs for tests of the queue. */
export const testJobs = {
  copy: defineJob({ name: 'copy', limitSeconds: 7_200, key: byRecording }),
  verify: defineJob({ name: 'verify', limitSeconds: 7_200, key: byRecording }),
  link: defineJob({ name: 'link', limitSeconds: 300, key: byRecording }),
  janitor: defineScheduledJob({ name: 'janitor', limitSeconds: 900 }),
};
export const jobs = Object.values(testJobs);
