import type { TaskSid } from '@flex-custody/core';
import { defineJob, defineScheduledJob } from '../../queue/job.ts';

/** A task that an agent completed. */
export type CompletedTask = {
  taskSid: TaskSid;
  /** It is read once more, since TaskRouter had not listed its end. */
  again?: true;
};

/** The jobs that read at Twilio what no event brought; `run-jobs.ts` defines how a worker runs each. */
export const historyJobs = {
  /** Reads a task's events, and takes in those that are missing. */
  taskComplete: defineJob({
    name: 'task-complete',
    limitSeconds: 300,
    key: ({ taskSid }: CompletedTask) => taskSid,
  }),
  /** Counts the messages of conversations that were closed. */
  messages: defineScheduledJob({ name: 'messages', limitSeconds: 600 }),
};
