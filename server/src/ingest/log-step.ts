import type { RecordingSid } from '@flex-custody/core';
import type { Log } from './deps.ts';

/** Steps of a recording's way. Whoever follows one live reads the log for `event: recording.<step>`. */
export type Step =
  | 'registered'
  | 'linked'
  | 'unlinked'
  | 'refused'
  | 'leased'
  | 'sealed'
  | 'verified'
  | 'proven'
  | 'rejected'
  | 'renewed'
  | 'absent'
  | 'source-deleted'
  | 'failed';

export interface StepFacts {
  /** Who copies, or has copied. */
  by?: 'function' | 'worker' | 'import';
  /** Of audio. */
  bytes?: number;
  ms?: number;
  /** Of `verified`: whether the copy is proven with it. */
  proven?: boolean;
  /** A stable code, never a message. */
  reason?: string;
}

export function logStep(log: Log, step: Step, recording: RecordingSid, facts: StepFacts = {}): void {
  log.info({ event: `recording.${step}`, recording, ...facts }, step);
}
