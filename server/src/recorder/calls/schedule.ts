import { errorCode, isRetryable } from '@flex-custody/core';
import type { RecorderDeps } from '../deps.ts';
import { pollCalls } from './poll.ts';

/** After so many failed minutes in a row an alarm says that live calls are not watched. */
const mostFailures = 5;

/** The job that looks at all live calls. An outage is not left to the queue, whose tries would pile up: the next minute asks again. */
export function createCallsWatch(deps: RecorderDeps): () => Promise<void> {
  let failures = 0;
  return async () => {
    // Also of a schedule that an earlier setting has left.
    if (!deps.watchCalls) return;
    try {
      await pollCalls(deps);
      failures = 0;
      // It has read every live call, also one whose own job failed for good.
      await deps.alarms.resolve(['calls_failed', 'call_failed']);
    } catch (error) {
      if (!isRetryable(error)) throw error;
      failures += 1;
      const code = errorCode(error);
      deps.log.warn({ code, failures }, 'live calls could not be looked at');
      if (failures >= mostFailures) await deps.alarms.raise('calls_failed', undefined, code);
    }
  };
}
