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

const lasting: readonly MediaProblem[] = ['unauthorized', 'missing'];

/** What is wrong with a source is mostly wrong for now: only a refusal and an absence stay what they are. */
export function mediaError(problem: MediaProblem, message: string, cause?: unknown): CustodyError {
  return new CustodyError(`media_${problem}`, message, {
    status: problem === 'missing' ? 404 : 502,
    retryable: !lasting.includes(problem),
    ...(cause !== undefined && { cause }),
  });
}
