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
 * Keeps up to `concurrency` jobs at work. One poll serves all of them, so that an idle queue costs one query each `pollMs`;
 * of a backlog they are fetched by halves, so that half as many queries do. `fetch` answers at most as many as it is
 * asked for; `run` never rejects.
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
  /** The last fetch filled every place: something may be waiting that nobody fetched. */
  let hasMore = false;
  /** Somebody has asked for a look since the last one began. */
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
    // A poll takes what it can: jobs that take long must not keep the place beside them empty.
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

  /** Resolves with whether the pause was over, or cut short. */
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
