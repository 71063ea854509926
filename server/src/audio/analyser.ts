import type { AgentChannel, RecordingAnalysis } from '@flex-custody/core';
import type { WavLayout } from '@flex-custody/vault';
import { leastWindowMs, PeakCounter } from './peaks.ts';
import { SampleReader } from './samples.ts';
import { talkMetrics } from './talk.ts';
import { frameMs, VoiceActivity } from './voice-activity.ts';

const framesPerStep = leastWindowMs / frameMs;
const firstFrames = 4_096;

/**
 * Analyses a recording as a stream: peaks, and for two channels how long each spoke. It keeps a byte for each 20 ms: 180 kB an
 * hour.
 */
export class Analyser {
  readonly #agent: AgentChannel;
  readonly #reader = new SampleReader((samples, layout) => this.#take(samples, layout));
  readonly #activity = new VoiceActivity();
  #peaks: PeakCounter | undefined;
  #active = new Uint8Array(firstFrames);
  #frames = 0;
  /** Samples of a channel in the current frame, and in total. */
  #filled = 0;
  #samples = 0;
  readonly #squares = [0, 0];
  readonly #loudest = [0, 0];

  constructor(agent: AgentChannel) {
    this.#agent = agent;
  }

  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  /** Undefined if the audio cannot be read. */
  end(): RecordingAnalysis | undefined {
    const { layout } = this.#reader;
    if (!layout || !this.#peaks) return undefined;
    const { channels, sampleRate } = layout;
    if (this.#filled > 0) this.#frame(channels, this.#filled);
    if (this.#frames % framesPerStep > 0) this.#step(channels);
    const seconds = this.#samples / sampleRate;
    const totalMs = Math.round(seconds * 1_000);
    return {
      version: 1,
      seconds,
      peaks: this.#peaks.end(),
      ...(channels === 2 && {
        talk: talkMetrics(this.#active.subarray(0, this.#frames), this.#agent, totalMs),
      }),
    };
  }

  #take(samples: Int16Array, { channels, sampleRate }: WavLayout): void {
    this.#peaks ??= new PeakCounter(channels);
    const frameSamples = Math.round((sampleRate * frameMs) / 1_000);
    for (let at = 0; at < samples.length; ) {
      const until = Math.min(samples.length, at + (frameSamples - this.#filled) * channels);
      for (let channel = 0; channel < channels; channel += 1)
        this.#add(samples, channel, channels, at, until);
      const count = (until - at) / channels;
      this.#filled += count;
      this.#samples += count;
      at = until;
      if (this.#filled === frameSamples) this.#frame(channels, frameSamples);
    }
  }

  #add(samples: Int16Array, channel: number, channels: number, from: number, to: number): void {
    let squares = this.#squares[channel] as number;
    let loudest = this.#loudest[channel] as number;
    for (let at = from + channel; at < to; at += channels) {
      const value = samples[at] as number;
      squares += value * value;
      if (value > loudest) loudest = value;
      else if (-value > loudest) loudest = -value;
    }
    this.#squares[channel] = squares;
    this.#loudest[channel] = loudest;
  }

  #frame(channels: number, samples: number): void {
    if (this.#frames === this.#active.length) {
      const longer = new Uint8Array(this.#active.length * 2);
      longer.set(this.#active);
      this.#active = longer;
    }
    const [first = 0, second = 0] = this.#squares;
    if (channels === 2) this.#active[this.#frames] = this.#activity.frame(first / samples, second / samples);
    this.#frames += 1;
    this.#filled = 0;
    this.#squares.fill(0);
    if (this.#frames % framesPerStep === 0) this.#step(channels);
  }

  #step(channels: number): void {
    this.#peaks?.push(this.#loudest.slice(0, channels));
    this.#loudest.fill(0);
  }
}
