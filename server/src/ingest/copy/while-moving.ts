import { CustodyError } from '@flex-custody/core';
import { orAborted } from '@flex-custody/net';

/** Longer than each request's own limit: what moves no byte for so long waits for something that never comes. */
export const stillMs = 60_000;

/**
 * Runs work that says with `moved` when it gets on. Work that does not for `ms` is aborted, and ended even where it does
 * not heed that: another worker may have it then.
 * @param ended aborts when the process ends
 * @throws CustodyError `stalled` (retryable), the reason of `ended`, or what the work throws
 */
export async function whileMoving<T>(
  ended: AbortSignal,
  ms: number,
  work: (halted: AbortController, moved: () => void) => Promise<T>,
): Promise<T> {
  // By hand: what AbortSignal.any hangs on a signal that lives as long as the process stays there for long.
  const halted = new AbortController();
  const halt = () => halted.abort(ended.reason);
  if (ended.aborted) halt();
  else ended.addEventListener('abort', halt, { once: true });
  const timer = setTimeout(() => halted.abort(stalled(ms)), ms);
  try {
    return await orAborted(
      work(halted, () => timer.refresh()),
      halted.signal,
    );
  } finally {
    clearTimeout(timer);
    ended.removeEventListener('abort', halt);
  }
}

const stalled = (ms: number) => new CustodyError('stalled', `nothing moved for ${ms / 1_000} s`);
