import { CustodyError } from '@flex-custody/core';
import type { TryOutcome } from '../effect-state.ts';
import type { BrevoOutcome } from './brevo-api.ts';

export type BrevoPause = Extract<BrevoOutcome<never>, { kind: 'pause' }>;

/** What a request came to, as the outbox sees it. @param onPause notes why the account is paused */
export async function tryOf(
  outcome: BrevoOutcome<unknown>,
  onPause: (pause: BrevoPause) => Promise<void>,
): Promise<TryOutcome> {
  switch (outcome.kind) {
    case 'done':
    case 'later':
    case 'unknown':
    case 'refused':
      return outcome.kind === 'done' ? { kind: 'done' } : outcome;
    case 'pause':
      await onPause(outcome);
      return { kind: 'paused' };
    case 'collision':
      return {
        kind: 'refused',
        code: 'duplicate_parameter',
        message: 'identifiers belong to two contacts',
        status: 400,
      };
    case 'missing':
      return {
        kind: 'refused',
        code: 'document_not_found',
        message: 'Brevo has no such contact',
        status: 404,
      };
  }
}

/**
 * A request whose signal aborts while it waits for its turn, or that the database gives no turn, was never sent; one that is no
 * request of Brevo's is refused here; any other error leaves open whether it was sent.
 */
export async function caught<T>(
  request: Promise<BrevoOutcome<T>>,
  signal: AbortSignal,
): Promise<BrevoOutcome<T>> {
  try {
    return await request;
  } catch (error) {
    if ((signal.aborted && error === signal.reason) || error instanceof CustodyError)
      return { kind: 'later' };
    if (error instanceof RangeError)
      return { kind: 'refused', status: 0, code: 'request_impossible', message: error.message };
    return { kind: 'unknown' };
  }
}
