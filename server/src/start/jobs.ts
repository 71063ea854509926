import { alarmJobs } from '../alarms/jobs.ts';
import { historyJobs } from '../connectors/history/jobs.ts';
import { deliveryJobs } from '../connectors/jobs.ts';
import { eventJobs } from '../events/jobs.ts';
import { ingestJobs } from '../ingest/jobs.ts';
import type { Job } from '../queue/job.ts';
import { completenessJobs } from '../recorder/completeness/jobs.ts';
import { recorderJobs } from '../recorder/jobs.ts';
import { recoveryJobs } from '../recorder/recovery/jobs.ts';
import { repairJobs } from '../recorder/repair/jobs.ts';
import { shortCallJobs } from '../recorder/short-calls/jobs.ts';
import { retentionJobs } from '../retention/jobs.ts';

/** Every kind of job: each queue is opened with these. */
export const allJobs: readonly Job[] = [
  ingestJobs,
  recorderJobs,
  repairJobs,
  completenessJobs,
  shortCallJobs,
  recoveryJobs,
  retentionJobs,
  alarmJobs,
  eventJobs,
  historyJobs,
  deliveryJobs,
].flatMap((jobs) => Object.values<Job>(jobs));
