import type { ConferenceSid, ReservationSid, TaskSid } from '@flex-custody/core';
import { byRecording, defineJob, defineScheduledJob } from '../queue/job.ts';

/** A live call that a report names. */
export type CallHint = { taskSid: TaskSid; conferenceSid?: ConferenceSid };

/** An agent's acceptance; epoch ms. */
export type Acceptance = { taskSid: TaskSid; reservationSid: ReservationSid; acceptedAt: number };

/** The jobs of this room; `run-jobs.ts` defines how a worker runs each. */
export const recorderJobs = {
  /** Watches one pause. The limit is short, so that another worker soon takes over: a paused call is not recorded. */
  watchPause: defineJob({
    name: 'watch-pause',
    limitSeconds: 60,
    key: ({ conferenceSid }: { conferenceSid: ConferenceSid }) => conferenceSid,
    // The job `pauses` sends every open pause its job within a minute.
    formerly: ['resume'],
  }),
  /** Sends every open pause its job again, if the job was lost. */
  pauses: defineScheduledJob({ name: 'pauses', limitSeconds: 60 }),
  /** Processes the reports that waited for IAM. */
  reports: defineScheduledJob({ name: 'reports', limitSeconds: 60 }),
  /** Looks at one live call. */
  call: defineJob({
    name: 'call',
    limitSeconds: 60,
    key: ({ conferenceSid, taskSid }: CallHint) => conferenceSid ?? taskSid,
  }),
  /** Writes the link of a reservation that has no recording yet. */
  linkAccepted: defineJob({
    name: 'link-accepted',
    limitSeconds: 60,
    key: ({ reservationSid }: Acceptance) => reservationSid,
  }),
  /** Compares all live calls with their recordings. */
  calls: defineScheduledJob({ name: 'calls', limitSeconds: 300 }),
  /** Applies the policies to all sessions that are open. */
  sessions: defineScheduledJob({ name: 'sessions', limitSeconds: 300 }),
  /** Asks Twilio for the direction and the caller of a recording's call. */
  facts: defineJob({ name: 'facts', limitSeconds: 300, key: byRecording, unhurried: true }),
  /** Compares the length of a verified recording with its call. */
  length: defineJob({ name: 'length', limitSeconds: 300, key: byRecording, unhurried: true }),
};
