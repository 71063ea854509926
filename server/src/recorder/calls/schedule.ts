import { errorCode, isRetryable } from '@flex-custody/core';
import type { RecorderDeps } from '../deps.ts';
import { pollCalls } from './poll.ts';

/** After so many failed minutes in a row an alarm says that live calls are not watched. */
const mostFailures = 5;

/**
 * The job that looks at all live calls. In an outage it does not fail, so that no retries accumulate in the queue: the
 * next minute asks again.
 */
export function createCallsWatch(deps: RecorderDeps): () => Promise<void> {
  let failures = 0;
  return async () => {
    // A schedule of an earlier setting may still run.
    if (!deps.watchCalls) return;
    try {
      await pollCalls(deps);
      failures = 0;
      // It has read every live call, also a call whose own job failed for good.
      await deps.alarms.resolve(['calls_failed', 'call_failed']);
    } catch (error) {
      if (!isRetryable(error)) throw error;
      failures += 1;
      const code = errorCode(error);
      deps.log.warn({ code, failures }, 'the host could not look at the live calls');
      if (failures >= mostFailures) await deps.alarms.raise('calls_failed', undefined, code);
    }
  };
}
