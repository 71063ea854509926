import { CustodyError } from '@flex-custody/core';
import { orAborted } from '@flex-custody/net';

/** Work without progress for so long is stalled; the time is longer than the limit of any request. */
export const stillMs = 60_000;

/**
 * Runs work that calls `moved` at each progress. Work without progress for `ms` is aborted; this returns even if the work
 * ignores the abort, so that another worker can take over.
 * @param ended aborts when the process ends
 * @throws CustodyError `stalled` (retryable), the reason of `ended`, or what the work throws
 */
export async function whileMoving<T>(
  ended: AbortSignal,
  ms: number,
  work: (halted: AbortController, moved: () => void) => Promise<T>,
): Promise<T> {
  // Not with AbortSignal.any: its listeners stay on a signal that lives as long as the process.
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
