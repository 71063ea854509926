/** What takes turns. */
export interface Taker {
  /** Since when it waits for its listener, by `performance.now()`; undefined while it does not. */
  readonly pausedAt: number | undefined;
  /** Its turn begins. */
  go(): void;
}

/**
 * Lets few audio streams flow at once; the others wait in order. The buffers between the store and a listener fill up to some 300 KB
 * while a stream flows, so a hundred listeners who all read at full speed would need ten times the memory and get nothing sooner.
 * A turn ends when the stream is over, its listener does not read, or others wait and it was long enough.
 */
export class Turns {
  readonly #flowing = new Map<Taker, number>();
  readonly #waiting = new Set<Taker>();
  #look: NodeJS.Timeout | undefined;
  readonly #most: number;
  readonly #pausedMs: number;
  readonly #longestMs: number;

  /** `pausedMs` a listener may wait before the turn is the next one's; `longestMs` a turn lasts while others wait. */
  constructor(options: { most?: number; pausedMs?: number; longestMs?: number } = {}) {
    this.#most = options.most ?? 12;
    this.#pausedMs = options.pausedMs ?? 20;
    this.#longestMs = options.longestMs ?? 250;
  }

  /** Calls `go` at once, or when it is this one's turn. */
  ask(taker: Taker): void {
    const since = this.#flowing.get(taker);
    const isLong = since !== undefined && performance.now() - since > this.#longestMs;
    if (since !== undefined && !(isLong && this.#waiting.size > 0)) {
      taker.go();
      return;
    }
    this.#flowing.delete(taker);
    this.#waiting.add(taker);
    this.#next();
  }

  /** For a stream that is over or has closed its source. */
  leave(taker: Taker): void {
    this.#waiting.delete(taker);
    if (this.#flowing.delete(taker)) this.#next();
  }

  #next(): void {
    for (const taker of this.#waiting) {
      if (this.#flowing.size >= this.#most) {
        this.#lookSoon();
        return;
      }
      this.#waiting.delete(taker);
      this.#flowing.set(taker, performance.now());
      taker.go();
    }
  }

  /** A stream that waits for a slow store ends its turn here too, and continues without one until its listener reads on. */
  #lookSoon(): void {
    this.#look ??= setTimeout(() => {
      this.#look = undefined;
      const now = performance.now();
      for (const [taker, since] of this.#flowing) {
        const isPaused = taker.pausedAt !== undefined && now - taker.pausedAt > this.#pausedMs;
        if (isPaused || now - since > this.#longestMs) this.#flowing.delete(taker);
      }
      this.#next();
    }, 10).unref();
  }
}
