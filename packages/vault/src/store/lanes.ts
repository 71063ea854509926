import { finished, type Readable } from 'node:stream';
import { CustodyError } from '@flex-custody/core';
import { MAX_SOCKETS } from './client.ts';
import type { Lane } from './types.ts';

const TURN_MS = 5_000;

interface Waiting {
  begin(): void;
  refuse(error: unknown): void;
}

/** The reads that go on in each lane, no more than there are connections; the next one waits for its turn, and not for long. */
export class Lanes {
  readonly #most: number;
  readonly #turnMs: number;
  readonly #lanes: Record<Lane, { busy: number; waiting: Set<Waiting> }> = {
    play: { busy: 0, waiting: new Set() },
    work: { busy: 0, waiting: new Set() },
  };

  constructor({
    most = MAX_SOCKETS,
    turnMs = TURN_MS,
  }: { most?: number | undefined; turnMs?: number | undefined }) {
    this.#most = most;
    this.#turnMs = turnMs;
  }

  /**
   * Opens a body when it is its turn, which is over when the body is.
   * @throws CustodyError store_busy (503, retryable); the signal's reason
   */
  async read<T extends { body: Readable }>(
    lane: Lane,
    signal: AbortSignal | undefined,
    open: () => Promise<T>,
  ): Promise<T> {
    await this.#turn(lane, signal);
    try {
      const found = await open();
      finished(found.body, () => this.#leave(lane));
      return found;
    } catch (error) {
      this.#leave(lane);
      throw error;
    }
  }

  #turn(name: Lane, signal: AbortSignal | undefined): Promise<void> {
    const lane = this.#lanes[name];
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (lane.busy < this.#most) {
      lane.busy += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
        lane.waiting.delete(waiting);
      };
      const waiting: Waiting = {
        begin() {
          end();
          resolve();
        },
        refuse(error) {
          end();
          reject(error);
        },
      };
      const stop = () => waiting.refuse(signal?.reason);
      const timer = setTimeout(() => waiting.refuse(busy(name)), this.#turnMs);
      signal?.addEventListener('abort', stop);
      lane.waiting.add(waiting);
    });
  }

  #leave(name: Lane): void {
    const lane = this.#lanes[name];
    const [next] = lane.waiting;
    // The turn passes on: it is never free in between.
    if (next) next.begin();
    else lane.busy -= 1;
  }
}

const busy = (lane: Lane): CustodyError =>
  new CustodyError('store_busy', `other readers have all connections to the bucket (${lane})`);
