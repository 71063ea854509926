import { createHash } from 'node:crypto';
import { WavHead } from './wav.ts';

/**
 * Digest of the sound of a WAV file: the format and the samples, without the chunks around them. Two files with the
 * same one hold the same audio, however their headers differ.
 */
export class SampleDigest {
  readonly #hash = createHash('sha256');
  readonly #head = new WavHead();
  /** Bytes of samples that are still to come; undefined until the head has come, or where it never will. */
  #left: number | undefined;

  push(chunk: Uint8Array): void {
    if (this.#head.isRead) this.#take(chunk);
    else this.#readHead(chunk);
  }

  /** Hexadecimal; once, at the end. Undefined where it was no WAV file. */
  end(): string | undefined {
    return this.#left === undefined ? undefined : this.#hash.digest('hex');
  }

  #readHead(chunk: Uint8Array): void {
    const samples = this.#head.push(chunk);
    const { layout } = this.#head;
    if (!layout) return;
    const { format, channels, sampleRate, bitsPerSample } = layout;
    this.#hash.update(`${format} ${channels} ${sampleRate} ${bitsPerSample}\n`);
    this.#left = layout.dataBytes ?? Number.POSITIVE_INFINITY;
    this.#take(samples);
  }

  #take(chunk: Uint8Array): void {
    if (this.#left === undefined) return;
    const samples = chunk.byteLength > this.#left ? chunk.subarray(0, this.#left) : chunk;
    this.#hash.update(samples);
    this.#left -= samples.byteLength;
  }
}
