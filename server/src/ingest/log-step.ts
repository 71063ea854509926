import type { RecordingSid } from '@flex-custody/core';
import type { Log } from './deps.ts';

/** Steps of a recording. To follow one, search the log for `event: recording.<step>`. */
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
  /** The writer of the copy. */
  by?: 'function' | 'worker' | 'import';
  /** Bytes of audio. */
  bytes?: number;
  ms?: number;
  /** For `verified`: whether the copy is also proven. */
  proven?: boolean;
  /** A stable code, never a message. */
  reason?: string;
}

export function logStep(log: Log, step: Step, recording: RecordingSid, facts: StepFacts = {}): void {
  log.info({ event: `recording.${step}`, recording, ...facts }, step);
}
