import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { AudioProof, type StatedLength } from './audio-proof.ts';

/** Passes a WAV file through, counting and hashing it, and fails at its end unless it was a whole one: {@link AudioProof}. */
export class AudioDigest extends Transform {
  readonly #proof: AudioProof;
  readonly #hash = createHash('sha256');
  readonly #onBytes: ((bytes: number) => void) | undefined;

  constructor(stated: StatedLength, onBytes?: (bytes: number) => void) {
    super({ readableHighWaterMark: 65_536, writableHighWaterMark: 65_536 });
    this.#proof = new AudioProof(stated);
    this.#onBytes = onBytes;
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#proof.bytes;
  }

  /** Hexadecimal; once, at the end. */
  sha256(): string {
    return this.#hash.digest('hex');
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#proof.push(chunk);
      this.#hash.update(chunk);
      this.#onBytes?.(this.#proof.bytes);
      done(null, chunk);
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      this.#proof.end();
      done();
    } catch (error) {
      done(error as Error);
    }
  }
}
