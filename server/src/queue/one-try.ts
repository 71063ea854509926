import { CustodyError } from '@flex-custody/core';
import { orAborted } from '@flex-custody/net';

/** Share of a job's limit, so that a try ends here before the database gives the job to another worker. */
const ownShare = 0.9;

/**
 * One try of a job: aborted when the process ends or the try takes too long. A try that takes too long also ends for the queue,
 * even if it ignores the signal, since it would otherwise keep a place of those at work.
 * @throws what the try throws, or CustodyError `expired` (retryable)
 */
export async function oneTry(
  halt: AbortSignal,
  limitSeconds: number,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const seconds = limitSeconds * ownShare;
  const [over, ended] = [new AbortController(), new AbortController()];
  const end = () => ended.abort(halt.reason);
  if (halt.aborted) end();
  else halt.addEventListener('abort', end, { once: true });
  const timer = setTimeout(() => {
    const late = new CustodyError('expired', `a try took more than ${seconds} s`);
    ended.abort(late);
    over.abort(late);
  }, seconds * 1_000);
  try {
    await orAborted(work(ended.signal), over.signal);
  } finally {
    clearTimeout(timer);
    halt.removeEventListener('abort', end);
  }
}
