import type { ConferenceSid, TaskSid } from '@flex-custody/core';
import { byRecording, defineJob, defineScheduledJob } from '../queue/job.ts';

/** A live call of which somebody says that it is there. */
export type CallHint = { taskSid: TaskSid; conferenceSid?: ConferenceSid };

/** The jobs of this room; `index.ts` says how a worker runs each. */
export const recorderJobs = {
  /** Looks after a pause. Another worker must have it soon: what is paused is not recorded. */
  watchPause: defineJob({
    name: 'watch-pause',
    limitSeconds: 60,
    key: ({ conferenceSid }: { conferenceSid: ConferenceSid }) => conferenceSid,
    // The sweep below gives every open pause its job within a minute.
    formerly: ['resume'],
  }),
  /** Gives every open pause its job, if it has lost it. */
  pauses: defineScheduledJob({ name: 'pauses', limitSeconds: 60 }),
  /** Takes the reports that waited for IAM. */
  reports: defineScheduledJob({ name: 'reports', limitSeconds: 60 }),
  /** Looks at one live call. */
  call: defineJob({
    name: 'call',
    limitSeconds: 60,
    key: ({ conferenceSid, taskSid }: CallHint) => conferenceSid ?? taskSid,
  }),
  /** Compares all live calls with their recordings. */
  calls: defineScheduledJob({ name: 'calls', limitSeconds: 300 }),
  /** Asks Twilio whose call a recording is of. */
  facts: defineJob({ name: 'facts', limitSeconds: 300, key: byRecording, unhurried: true }),
};
