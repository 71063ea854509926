export interface Puller {
  /** Fetches jobs now instead of at the next poll. */
  wake(): void;
  /** Stops fetching; resolves when the loop has ended, while jobs may still run. */
  stop(): Promise<void>;
  /** Resolves when no job runs. */
  idle(): Promise<void>;
}

/** A job that was just sent may not be visible yet: both engines compare its start with their own clock, to the tick. */
const secondLookMs = 20;

/**
 * Runs up to `concurrency` jobs at once. One poll fetches for all of them, so that an idle queue costs one query each `pollMs`;
 * with a backlog it fetches when half of the places are free, which halves the queries. `fetch` returns at most as many jobs
 * as requested; `run` never rejects.
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
  /** The last fetch filled every place, so more jobs may be waiting. */
  let hasMore = false;
  /** A fetch was requested since the last one began. */
  let isAsked = false;
  let interrupt = () => {};

  const look = (times: number) => {
    looks = Math.max(looks, times);
    isAsked = true;
    interrupt();
  };

  const pullOnce = async (isPoll: boolean) => {
    const free = options.concurrency - active.size;
    const looksLeft = looks - 1;
    looks = 0;
    // A poll fills every free place: long jobs must not keep other places empty.
    if (free === 0 || (hasMore && !isPoll && free < options.concurrency / 2)) return;
    const jobs = await options.fetch(free);
    hasMore = jobs.length === free;
    if (jobs.length === 0) looks = Math.max(looks, looksLeft);
    for (const job of jobs) {
      const work = options.run(job).finally(() => {
        active.delete(work);
        if (hasMore) look(0);
      });
      active.add(work);
    }
  };

  /** Resolves with whether the pause ended in time or was cut short. */
  const pause = (ms: number) =>
    new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(true), ms);
      interrupt = () => {
        clearTimeout(timer);
        resolve(false);
      };
    });

  const loop = async () => {
    let isPoll = true;
    while (!stopped) {
      isAsked = false;
      await pullOnce(isPoll).catch(options.onError);
      if (stopped) break;
      isPoll = isAsked ? false : await pause(looks > 0 ? secondLookMs : options.pollMs);
    }
  };
  const ended = loop();

  return {
    wake: () => look(2),
    stop: () => {
      stopped = true;
      interrupt();
      return ended;
    },
    idle: async () => {
      while (active.size > 0) await Promise.all(active);
    },
  };
}
