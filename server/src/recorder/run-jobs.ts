import { errorCode, isRetryable } from '@flex-custody/core';
import { jobRunner } from '../dead-jobs.ts';
import type { RunJob } from '../queue/job.ts';
import { linkAccepted } from './acceptance/link-accepted.ts';
import { findFacts } from './calls/facts.ts';
import { lookAtCall } from './calls/look.ts';
import { createCallsWatch } from './calls/schedule.ts';
import type { RecorderDeps } from './deps.ts';
import { type CallHint, recorderJobs } from './jobs.ts';
import { compareLength } from './lengths/compare.ts';
import { look } from './pauses/look.ts';
import { createPauses } from './pauses/pauses.ts';
import { retryPending } from './reports/pending.ts';

/** If the process of a look dies, its call stays paused no longer than this. */
const sweepSeconds = 60;
/** Between two tries of the reports that wait for IAM; a paused call may wait for one of them. */
const pendingSeconds = 15;
/** Between two looks at all live calls: at most two requests to Twilio if nothing is new. */
const callsSeconds = 60;
/** The maintenance tick. */
const sessionsSeconds = 300;
/** Tries of a look at one call: a later one finds no more than the next look at all calls. */
const mostLooks = 4;

async function lookSoon(deps: RecorderDeps, call: CallHint, attempt: number): Promise<void> {
  try {
    await lookAtCall(deps, call);
    await deps.alarms.resolve(['call_failed']);
  } catch (error) {
    if (!isRetryable(error) || attempt < mostLooks) throw error;
    deps.log.warn({ task: call.taskSid, code: errorCode(error) }, 'the host could not look at a live call');
  }
}

/** What a worker does in this room. */
export function runRecorder(deps: RecorderDeps): readonly RunJob[] {
  const { alarms, db, queue, watchCalls } = deps;
  const running = jobRunner(alarms);
  return [
    running(recorderJobs.watchPause, {
      concurrency: 8,
      async run({ conferenceSid }) {
        await look(deps, conferenceSid);
      },
      dead: ({ error }) => alarms.raise('resume_failed', undefined, error.code),
    }),
    running(recorderJobs.pauses, {
      everySeconds: sweepSeconds,
      async run() {
        for (const conferenceSid of await createPauses(db).open())
          await queue.send(recorderJobs.watchPause, { conferenceSid });
        await alarms.resolve(['pauses_failed']);
      },
    }),
    running(recorderJobs.reports, {
      everySeconds: pendingSeconds,
      async run() {
        await retryPending(deps);
        await alarms.resolve(['reports_failed']);
      },
    }),
    running(recorderJobs.call, {
      concurrency: 4,
      run: (call, { attempt }) => lookSoon(deps, call, attempt),
    }),
    running(recorderJobs.linkAccepted, {
      concurrency: 2,
      run: (acceptance) => linkAccepted(deps, acceptance),
      // The recording's own link is written in any case, and its failure has an alarm.
      dead: async ({ data, error }) =>
        deps.log.warn({ task: data.taskSid, code: error.code }, 'a task got no link at the acceptance'),
    }),
    running(recorderJobs.facts, {
      concurrency: 2,
      run: ({ recordingSid }) => findFacts(deps, recordingSid),
    }),
    running(recorderJobs.length, {
      concurrency: 2,
      run: ({ recordingSid }) => compareLength(deps, recordingSid),
    }),
    running(recorderJobs.sessions, {
      everySeconds: sessionsSeconds,
      async run(_data, { signal }) {
        await deps.sessions.tick(signal);
        await alarms.resolve(['sessions_failed']);
      },
    }),
    running(recorderJobs.calls, {
      ...(watchCalls && { everySeconds: callsSeconds }),
      run: createCallsWatch(deps),
    }),
  ];
}
