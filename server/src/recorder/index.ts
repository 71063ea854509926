import {
  type ConferenceSid,
  type ConsentAnswer,
  errorCode,
  isRetryable,
  type Report,
} from '@flex-custody/core';
import type { Parties } from '../catalog/live-calls.ts';
import type { RecordingRow } from '../catalog/recording-row.ts';
import type { Jobs } from '../queue/queue.ts';
import { factsAtOnce, findFacts } from './calls/facts.ts';
import { lookAtCall } from './calls/look.ts';
import { createCallsWatch } from './calls/schedule.ts';
import type { RecorderDeps } from './deps.ts';
import { look } from './pauses/look.ts';
import { createPauses } from './pauses/pauses.ts';
import { consentOf } from './reports/consents.ts';
import { createPendingReports, type PendingReports, retryPending } from './reports/pending.ts';
import { type Reporter, receive } from './reports/receive.ts';

export type { RecorderDeps as RecorderParts, RecorderTwilio } from './deps.ts';
export type { Reporter } from './reports/receive.ts';

/** What the host knows and does of calls while they last. */
export interface Recorder {
  /** See {@link receive}. */
  receive(report: Report, reporter: Reporter, requestId: string): Promise<void>;
  /** See {@link consentOf}. */
  consentOf(conference: ConferenceSid): Promise<ConsentAnswer>;
  pending: PendingReports;
  /** See {@link factsAtOnce}. */
  whoseCall(row: RecordingRow): Promise<Parties | undefined>;
  /** Begins the jobs of the worker role; they end when the queue stops. */
  startWorkers(): Promise<void>;
}

/** A call whose look was lost with its process stays paused no longer than this. */
const sweepSeconds = 60;
/** Between two tries of what waits for IAM: a paused call is waiting with it. */
const pendingSeconds = 15;

/** A look that comes minutes late finds no more than the next one at all calls does. */
const mostLooks = 4;

async function lookSoon(deps: RecorderDeps, call: Jobs['call'], attempt: number): Promise<void> {
  try {
    await lookAtCall(deps, call);
    await deps.alarms.resolve(['call_failed']);
  } catch (error) {
    if (!isRetryable(error) || attempt < mostLooks) throw error;
    deps.log.warn({ task: call.taskSid, code: errorCode(error) }, 'a live call could not be looked at');
  }
}

/** Between two looks at all live calls: two questions to Twilio at most, where there is nothing new. */
const callsSeconds = 60;

export function createRecorder(deps: RecorderDeps): Recorder {
  const { alarms, queue, db } = deps;
  return {
    receive: (report, reporter, requestId) => receive(deps, report, reporter, requestId),
    consentOf: (conference) => consentOf(deps, conference),
    pending: createPendingReports(deps),
    whoseCall: (row) => factsAtOnce(deps, row),
    async startWorkers() {
      await queue.work('resume', { concurrency: 8 }, async ({ conferenceSid }) => {
        await look(deps, conferenceSid);
      });
      await queue.work('pauses', { concurrency: 1 }, async () => {
        for (const conferenceSid of await createPauses(db).open())
          await queue.send('resume', { conferenceSid }, { once: conferenceSid });
        await alarms.resolve(['pauses_failed']);
      });
      await queue.work('reports', { concurrency: 1 }, async () => {
        await retryPending(deps);
        await alarms.resolve(['reports_failed']);
      });
      await queue.every('pauses', sweepSeconds);
      await queue.every('reports', pendingSeconds);
      await queue.work('call', { concurrency: 4 }, (call, { attempt }) => lookSoon(deps, call, attempt));
      await queue.work('facts', { concurrency: 2 }, ({ recordingSid }) => findFacts(deps, recordingSid));
      await queue.work('calls', { concurrency: 1 }, createCallsWatch(deps));
      if (deps.watchCalls) await queue.every('calls', callsSeconds);
    },
  };
}
