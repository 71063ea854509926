import { CustodyError } from '@flex-custody/core';

export type MediaProblem =
  | 'unauthorized'
  | 'missing'
  | 'unavailable'
  | 'not_audio'
  | 'empty'
  | 'short'
  | 'long'
  | 'cut'
  | 'stalled'
  | 'tampered';

/** What is wrong with a source is mostly wrong for now: only a refusal and an absence are not retryable. */
export function mediaError(problem: MediaProblem, message: string, cause?: unknown): CustodyError {
  return new CustodyError(`media_${problem}`, message, { cause });
}
