import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { CustodyError, errorCode } from '@flex-custody/core';
import type { Logger } from '../log.ts';
import type { Consumer } from '../room.ts';

const firstPauseMs = 1_000;
const longestPauseMs = 60_000;
/** A consumer that has worked so long before it failed begins with the shortest pause again. */
const steadyMs = 300_000;

export interface RunningConsumers {
  /** Resolves when all of them have ended. */
  stop(): Promise<void>;
}

/** Runs the consumers side by side; a failed one is started again. */
export function runConsumers(
  consumers: readonly Consumer[],
  log: Pick<Logger, 'error'>,
  pauseMs: number = firstPauseMs,
): RunningConsumers {
  // The host is loaded with a small young generation (main.ts); consumers that catch up spend half their time collecting it.
  setFlagsFromString('--semi-space-growth-factor=2');
  const stopping = new AbortController();
  const { signal } = stopping;
  const keepRunning = async ({ name, run }: Consumer) => {
    let pause = pauseMs;
    while (!signal.aborted) {
      const since = performance.now();
      try {
        await run(signal);
        if (signal.aborted) return;
        throw new CustodyError('consumer_ended', 'the consumer ended while the process runs');
      } catch (error) {
        if (signal.aborted) return;
        log.error(
          { event: 'consumer.failed', consumer: name, code: errorCode(error), err: error },
          'a consumer failed',
        );
      }
      if (performance.now() - since > steadyMs) pause = pauseMs;
      await sleep(pause, undefined, { signal }).catch(() => undefined);
      pause = Math.min(pause * 2, longestPauseMs);
    }
  };
  const all = Promise.all(consumers.map(keepRunning));
  return {
    async stop() {
      stopping.abort(new CustodyError('stopping', 'the process ends'));
      await all;
    },
  };
}
