import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { mediaError } from './errors.ts';
import { RIFF_HEAD_BYTES, readWavLayout, riffBytes, type WavLayout } from './wav.ts';

/** Twilio states whole seconds, rounded either way. */
const DURATION_TOLERANCE_SECONDS = 1.5;
/** A data chunk that has not begun by here never will: recordings have no such headers. */
const MAX_HEAD_BYTES = 65_536;

/**
 * Passes a WAV file through, counting and hashing it, and fails at its end unless it was a whole one: as long as its
 * RIFF header says, its samples within it, and playing as long as the recording lasted.
 */
export class AudioDigest extends Transform {
  readonly #durationSeconds: number | undefined;
  readonly #onBytes: ((bytes: number) => void) | undefined;
  readonly #hash = createHash('sha256');
  #head = Buffer.alloc(0);
  #layout: WavLayout | undefined;
  #bytes = 0;

  constructor(durationSeconds: number | undefined, onBytes?: (bytes: number) => void) {
    super({ readableHighWaterMark: 65_536, writableHighWaterMark: 65_536 });
    this.#durationSeconds = durationSeconds;
    this.#onBytes = onBytes;
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Hexadecimal; once, at the end. */
  sha256(): string {
    return this.#hash.digest('hex');
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.byteLength;
    try {
      if (this.#layout === undefined) this.#readHead(chunk);
      this.#onBytes?.(this.#bytes);
      done(null, chunk);
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      this.#prove();
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  #readHead(chunk: Buffer): void {
    this.#head = Buffer.concat([this.#head, chunk.subarray(0, MAX_HEAD_BYTES)]);
    try {
      this.#layout = readWavLayout(this.#head);
    } catch (cause) {
      throw mediaError('not_audio', 'the media is no WAV file', cause);
    }
    if (this.#layout === undefined && this.#head.byteLength >= MAX_HEAD_BYTES) {
      throw mediaError('not_audio', 'the media has no samples where a WAV file has them');
    }
    // Only the sizes at its beginning are still wanted.
    if (this.#layout) this.#head = Buffer.from(this.#head.subarray(0, RIFF_HEAD_BYTES));
  }

  #prove(): void {
    if (this.#bytes === 0) throw mediaError('empty', 'the media is empty');
    const layout = this.#layout;
    if (!layout) throw mediaError('not_audio', 'the media ends before its samples begin');
    const whole = riffBytes(this.#head) ?? this.#bytes;
    const dataBytes = layout.dataBytes ?? this.#bytes - layout.dataStart;
    if (this.#bytes < whole || layout.dataStart + dataBytes > this.#bytes) {
      throw mediaError('short', `the WAV file is ${whole} bytes long, of which ${this.#bytes} came`);
    }
    if (this.#bytes > whole)
      throw mediaError('long', `the WAV file is ${whole} bytes long, but ${this.#bytes} came`);
    if (this.#durationSeconds === undefined || layout.byteRate === 0) return;
    const seconds = dataBytes / layout.byteRate;
    const difference = seconds - this.#durationSeconds;
    if (Math.abs(difference) <= DURATION_TOLERANCE_SECONDS) return;
    const message = `the audio lasts ${seconds.toFixed(1)} s, the recording ${this.#durationSeconds} s`;
    throw mediaError(difference < 0 ? 'short' : 'long', message);
  }
}
