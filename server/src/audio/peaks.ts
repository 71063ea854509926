import type { Peaks } from '@flex-custody/core';

/** Shortest window, ms. */
export const leastWindowMs = 100;
/** More windows than this are merged in pairs: a waveform has no more points on a screen. */
export const mostWindows = 2_000;

/** The peak of each window, for audio of any length in bounded memory. */
export class PeakCounter {
  readonly #channels: Uint8Array[];
  #windowMs = leastWindowMs;
  #windows = 0;
  /** Steps of {@link leastWindowMs} in the current window. */
  #steps = 0;
  readonly #loudest: number[];

  constructor(channels: number) {
    this.#channels = Array.from({ length: channels }, () => new Uint8Array(mostWindows));
    this.#loudest = new Array<number>(channels).fill(0);
  }

  /** The peak of one step of {@link leastWindowMs}, 0 to 32,768, for each channel. */
  push(loudest: readonly number[]): void {
    for (const [channel, value] of loudest.entries())
      this.#loudest[channel] = Math.max(this.#loudest[channel] ?? 0, value);
    this.#steps += 1;
    if (this.#steps * leastWindowMs >= this.#windowMs) this.#close();
  }

  end(): Peaks {
    if (this.#steps > 0) this.#close();
    const channels = this.#channels.map((values) =>
      Buffer.from(values.subarray(0, this.#windows)).toString('base64'),
    );
    return { windowMs: this.#windowMs, channels };
  }

  #close(): void {
    for (const [channel, values] of this.#channels.entries()) {
      values[this.#windows] = Math.min(255, (this.#loudest[channel] ?? 0) >> 7);
    }
    this.#windows += 1;
    // Between two windows, since a window that has begun would have the old length.
    if (this.#windows === mostWindows) this.#merge();
    this.#loudest.fill(0);
    this.#steps = 0;
  }

  #merge(): void {
    for (const values of this.#channels) {
      for (let pair = 0; pair < mostWindows / 2; pair += 1) {
        values[pair] = Math.max(values[2 * pair] ?? 0, values[2 * pair + 1] ?? 0);
      }
    }
    this.#windows /= 2;
    this.#windowMs *= 2;
  }
}
