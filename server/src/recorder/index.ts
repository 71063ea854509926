import type { ConferenceSid, ConsentAnswer, Report } from '@flex-custody/core';
import type { Parties } from '../catalog/live-calls.ts';
import type { RecordingRow } from '../catalog/recording-row.ts';
import type { RunJob } from '../queue/job.ts';
import { factsAtOnce } from './calls/facts.ts';
import type { RecorderDeps } from './deps.ts';
import { consentOf } from './reports/consents.ts';
import { createPendingReports, type PendingReports } from './reports/pending.ts';
import { type Reporter, receive } from './reports/receive.ts';
import { runRecorder } from './run-jobs.ts';

export type { RecorderDeps as RecorderParts, RecorderTwilio } from './deps.ts';
export type { Reporter } from './reports/receive.ts';

/** What the host does for live calls. */
export interface Recorder {
  /** See {@link receive}. */
  receive(report: Report, reporter: Reporter, requestId: string): Promise<void>;
  /** See {@link consentOf}. */
  consentOf(conference: ConferenceSid): Promise<ConsentAnswer>;
  pending: PendingReports;
  /** See {@link factsAtOnce}. */
  whoseCall(row: RecordingRow): Promise<Parties | undefined>;
  /** See {@link runRecorder}. */
  jobs(): readonly RunJob[];
}

export function createRecorder(deps: RecorderDeps): Recorder {
  return {
    receive: (report, reporter, requestId) => receive(deps, report, reporter, requestId),
    consentOf: (conference) => consentOf(deps, conference),
    pending: createPendingReports(deps),
    whoseCall: (row) => factsAtOnce(deps, row),
    jobs: () => runRecorder(deps),
  };
}
