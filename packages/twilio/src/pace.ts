import { setTimeout as sleep } from 'node:timers/promises';
import { CustodyError } from '@flex-custody/core';

export interface Pace {
  /**
   * Resolves when it is this caller's turn.
   * @throws CustodyError `twilio_unavailable` (503, retryable) at once where that would be too late; the signal's reason
   */
  turn(signal?: AbortSignal): Promise<void>;
}

/**
 * Lets so many begin within any window of time, in the order in which they came.
 * @param options.longestMs the longest wait
 */
export function createPace(options: {
  most: number;
  windowMs: number;
  longestMs: number;
  now?: () => number;
  wait?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
}): Pace {
  const { most, windowMs, longestMs, now = () => performance.now() } = options;
  const wait =
    options.wait ?? ((ms, signal) => sleep(ms, undefined, { ref: false, ...(signal && { signal }) }));
  /** When the last of them begin, or began. */
  let turns: readonly number[] = [];
  return {
    async turn(signal) {
      signal?.throwIfAborted();
      const at = now();
      const before = turns.length < most ? undefined : turns[0];
      const mine = before === undefined ? at : Math.max(at, before + windowMs);
      if (mine - at > longestMs)
        throw new CustodyError('twilio_unavailable', 'too many requests of this kind wait for Twilio');
      turns = [...turns, mine].slice(-most);
      if (mine === at) return;
      await wait(mine - at, signal).catch((error: unknown) => {
        throw signal?.aborted ? signal.reason : error;
      });
    },
  };
}
