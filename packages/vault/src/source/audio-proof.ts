import type { MediaSource } from '@flex-custody/core';
import { mediaError } from './errors.ts';
import { byteRateOf, RIFF_HEAD_BYTES, readWavLayout, riffBytes, type WavLayout } from './wav.ts';

/** Twilio states whole seconds, rounded either way. */
const DURATION_TOLERANCE_SECONDS = 1.5;
/** A data chunk that has not begun by here never will: recordings have no such headers. */
const MAX_HEAD_BYTES = 65_536;

/** What is known of a file that was read up to here, for whoever reads on. */
export interface ProofSoFar {
  bytes: number;
  layout: WavLayout;
  /** As its RIFF header says; absent where the writer left it open. */
  wholeBytes?: number;
}

/** How long a recording is, by Twilio's word. */
export type StatedLength = Pick<MediaSource, 'durationSeconds' | 'pausedSeconds'>;

/**
 * Proof that a WAV file came whole: as long as its RIFF header says, its samples within it, and playing as long as the
 * recording lasted. Whether Twilio counts a pause of the kind `skip` is not known: either length is taken.
 */
export class AudioProof {
  readonly #stated: StatedLength;
  #head = Buffer.alloc(0);
  #layout: WavLayout | undefined;
  #wholeBytes: number | undefined;
  #bytes = 0;

  constructor(stated: StatedLength, soFar?: ProofSoFar) {
    this.#stated = stated;
    if (soFar) {
      this.#bytes = soFar.bytes;
      this.#layout = soFar.layout;
      this.#wholeBytes = soFar.wholeBytes;
    }
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of the audio, whatever was asked for; undefined until its head has come. */
  get channels(): 1 | 2 | undefined {
    return this.#layout && (this.#layout.channels === 2 ? 2 : 1);
  }

  /** Undefined until its head has come. */
  get soFar(): ProofSoFar | undefined {
    if (!this.#layout) return undefined;
    const whole = this.#wholeBytes;
    return { bytes: this.#bytes, layout: this.#layout, ...(whole !== undefined && { wholeBytes: whole }) };
  }

  /** @throws CustodyError `media_not_audio` */
  push(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    if (this.#layout === undefined) this.#readHead(chunk);
  }

  /** @throws CustodyError `media_empty`, `media_not_audio`, `media_short`, `media_long` */
  end(): void {
    if (this.#bytes === 0) throw mediaError('empty', 'the media is empty');
    const layout = this.#layout;
    if (!layout) throw mediaError('not_audio', 'the media ends before its samples begin');
    const whole = this.#wholeBytes ?? this.#bytes;
    const dataBytes = layout.dataBytes ?? this.#bytes - layout.dataStart;
    if (this.#bytes < whole || layout.dataStart + dataBytes > this.#bytes) {
      throw mediaError('short', `the WAV file is ${whole} bytes long, of which ${this.#bytes} came`);
    }
    if (this.#bytes > whole)
      throw mediaError('long', `the WAV file is ${whole} bytes long, but ${this.#bytes} came`);
    this.#checkLength(dataBytes, layout);
  }

  #checkLength(dataBytes: number, layout: WavLayout): void {
    const { durationSeconds, pausedSeconds = 0 } = this.#stated;
    if (durationSeconds === undefined) return;
    const byteRate = byteRateOf(layout);
    if (byteRate === 0)
      throw mediaError('not_audio', `the length of audio in the format ${layout.format} cannot be reckoned`);
    const seconds = dataBytes / byteRate;
    const isShort = seconds < durationSeconds - pausedSeconds - DURATION_TOLERANCE_SECONDS;
    if (!isShort && seconds <= durationSeconds + DURATION_TOLERANCE_SECONDS) return;
    const message = `the audio lasts ${seconds.toFixed(1)} s, the recording ${durationSeconds} s`;
    throw mediaError(isShort ? 'short' : 'long', message);
  }

  #readHead(chunk: Uint8Array): void {
    this.#head = Buffer.concat([this.#head, chunk.subarray(0, MAX_HEAD_BYTES)]);
    try {
      this.#layout = readWavLayout(this.#head);
    } catch (cause) {
      throw mediaError('not_audio', 'the media is no WAV file', cause);
    }
    if (this.#layout === undefined && this.#head.byteLength >= MAX_HEAD_BYTES) {
      throw mediaError('not_audio', 'the media has no samples where a WAV file has them');
    }
    if (!this.#layout) return;
    if (this.#layout.channels !== 1 && this.#layout.channels !== 2)
      throw mediaError('not_audio', `a recording has one channel or two, and not ${this.#layout.channels}`);
    this.#wholeBytes = riffBytes(this.#head.subarray(0, RIFF_HEAD_BYTES));
    this.#head = Buffer.alloc(0);
  }
}
