import { setTimeout as sleep } from 'node:timers/promises';
import { CustodyError } from '@flex-custody/core';

export interface Pace {
  /**
   * Resolves when it is this caller's turn.
   * @throws CustodyError `twilio_unavailable` (503, retryable) at once where that would be too late; the signal's reason
   */
  turn(signal?: AbortSignal): Promise<void>;
}

/** A pace that follows a setting, the limit that Twilio reports, and the requests that Twilio refuses. */
export interface AdjustablePace extends Pace {
  /** What the operator allows, a second; what Twilio reports comes before it. */
  set(aSecond: number): void;
  /** @param aSecond how many may begin in a second; kept within bounds that Twilio and the desktops can bear */
  adjust(aSecond: number): void;
  /** Twilio refused a request with 429: half as many from now on, which grow again by a quarter each minute. */
  slow(): void;
}

const usualBounds = { least: 1, most: 20 };
/** Between two steps back to the full pace. */
const growMs = 60_000;

type PaceOptions = Omit<Parameters<typeof createPace>[0], 'most' | 'notBefore'>;

/** @param most a second, until another limit is set or reported */
export function createAdjustablePace(
  most: number,
  how: PaceOptions & { mostBound?: number },
): AdjustablePace {
  const { mostBound = usualBounds.most, now = () => performance.now() } = how;
  let setting = most;
  let reported: number | undefined;
  let slowed: { to: number; at: number; until: number } | undefined;
  const full = () => reported ?? setting;
  const current = () => {
    while (slowed && now() - slowed.at >= growMs)
      slowed = { ...slowed, to: Math.ceil(slowed.to * 1.25), at: slowed.at + growMs };
    if (slowed && slowed.to >= full()) slowed = undefined;
    return slowed?.to ?? full();
  };
  const bounded = (aSecond: number) => {
    const within = Math.min(mostBound, Math.max(usualBounds.least, Math.floor(aSecond)));
    return Number.isNaN(within) ? undefined : within;
  };
  const pace = createPace({ ...how, now, most: current, notBefore: () => slowed?.until ?? 0 });
  return {
    turn: (signal) => pace.turn(signal),
    set(aSecond) {
      setting = bounded(aSecond) ?? setting;
    },
    adjust(aSecond) {
      reported = bounded(aSecond) ?? reported;
    },
    slow() {
      const at = now();
      slowed = { to: Math.max(usualBounds.least, Math.floor(current() / 2)), at, until: at + how.windowMs };
    },
  };
}

/** The most turns of one window that are remembered. */
const mostTurns = 1_000;

/**
 * Lets so many begin within any window of time, in the order in which they came.
 * @param options.longestMs the longest wait
 * @param options.notBefore when the next one may begin at the earliest, by the same clock
 */
export function createPace(options: {
  most: number | (() => number);
  windowMs: number;
  longestMs: number;
  notBefore?: () => number;
  now?: () => number;
  wait?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
}): Pace {
  const { windowMs, longestMs, notBefore = () => 0, now = () => performance.now() } = options;
  const mostNow = () => (typeof options.most === 'number' ? options.most : options.most());
  const wait =
    options.wait ?? ((ms, signal) => sleep(ms, undefined, { ref: false, ...(signal && { signal }) }));
  /** When the last of them begin, or began. */
  const turns: number[] = [];
  return {
    async turn(signal) {
      signal?.throwIfAborted();
      const at = now();
      const most = mostNow();
      const before = turns[turns.length - most];
      const mine = Math.max(
        at,
        notBefore(),
        turns.at(-1) ?? at,
        before === undefined ? at : before + windowMs,
      );
      if (mine - at > longestMs)
        throw new CustodyError('twilio_unavailable', 'too many requests of this kind wait for Twilio');
      turns.push(mine);
      if (turns.length > mostTurns) turns.splice(0, turns.length - mostTurns / 2);
      if (mine === at) return;
      await wait(mine - at, signal).catch((error: unknown) => {
        throw signal?.aborted ? signal.reason : error;
      });
    },
  };
}
