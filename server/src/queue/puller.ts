import { setTimeout as sleep } from 'node:timers/promises';

export interface Puller {
  /** Looks for jobs now instead of at the next poll. */
  wake(): void;
  /** Fetches no more; resolves when the loop has ended, while jobs may still be at work. */
  stop(): Promise<void>;
  /** Resolves when no job is at work. */
  idle(): Promise<void>;
}

/** A just sent job may not show yet: both engines compare its start with their own clock, to the tick. */
const secondLookMs = 20;

/**
 * Keeps up to `concurrency` jobs at work. One poll serves all of them, so that an idle queue costs one query each `pollMs`.
 * `fetch` answers at most as many as it is asked for; `run` never rejects.
 */
export function startPuller<T>(options: {
  concurrency: number;
  pollMs: number;
  fetch: (most: number) => Promise<T[]>;
  run: (job: T) => Promise<void>;
  onError: (error: unknown) => void;
}): Puller {
  const active = new Set<Promise<void>>();
  let stopped = false;
  let looks = 0;
  let interrupt = new AbortController();

  const wake = () => {
    looks = 2;
    interrupt.abort();
  };

  const pullOnce = async () => {
    const free = options.concurrency - active.size;
    if (free <= 0) return;
    for (const job of await options.fetch(free)) {
      const work = options.run(job).finally(() => {
        active.delete(work);
        wake();
      });
      active.add(work);
    }
  };

  const loop = async () => {
    while (!stopped) {
      interrupt = new AbortController();
      await pullOnce().catch(options.onError);
      if (stopped) break;
      const pause = looks > 0 ? secondLookMs : options.pollMs;
      looks = Math.max(0, looks - 1);
      await sleep(pause, undefined, { signal: interrupt.signal }).catch(() => undefined);
    }
  };
  const ended = loop();

  return {
    wake,
    stop: () => {
      stopped = true;
      interrupt.abort();
      return ended;
    },
    idle: async () => {
      while (active.size > 0) await Promise.all(active);
    },
  };
}
