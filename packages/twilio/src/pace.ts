import { setTimeout as sleep } from 'node:timers/promises';
import { CustodyError } from '@flex-custody/core';

export interface Pace {
  /**
   * Resolves when it is this caller's turn.
   * @throws CustodyError `twilio_unavailable` (503, retryable) at once where that would be too late; the signal's reason
   */
  turn(signal?: AbortSignal): Promise<void>;
}

/** A pace that follows a limit which Twilio reports. */
export interface AdjustablePace extends Pace {
  /** @param aSecond how many may begin in a second; kept within bounds that Twilio and the desktops can bear */
  adjust(aSecond: number): void;
}

const bounds = { least: 1, most: 20 };

/** @param most a second, until another limit is reported */
export function createAdjustablePace(
  most: number,
  how: Omit<Parameters<typeof createPace>[0], 'most'>,
): AdjustablePace {
  let now = most;
  let pace = createPace({ ...how, most });
  return {
    turn: (signal) => pace.turn(signal),
    adjust(aSecond) {
      const bounded = Math.min(bounds.most, Math.max(bounds.least, Math.floor(aSecond)));
      if (Number.isNaN(bounded) || bounded === now) return;
      now = bounded;
      pace = createPace({ ...how, most: bounded });
    },
  };
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
