import { createHash } from 'node:crypto';
import { readWavLayout } from './wav.ts';

/** A data chunk that has not begun by here never will. */
const MAX_HEAD_BYTES = 65_536;

/**
 * Digest of what is heard in a WAV file: the format and the samples, without the chunks around them. Two files with the
 * same one hold the same audio, however their headers differ.
 */
export class SampleDigest {
  readonly #hash = createHash('sha256');
  #head: Buffer | undefined = Buffer.alloc(0);
  /** Bytes of samples that are still to come; undefined until the head has come, or where it never will. */
  #left: number | undefined;

  push(chunk: Uint8Array): void {
    if (this.#head) this.#readHead(this.#head, chunk);
    else if (this.#left !== undefined) this.#take(chunk);
  }

  /** Hexadecimal; once, at the end. Undefined where it was no WAV file. */
  end(): string | undefined {
    return this.#left === undefined ? undefined : this.#hash.digest('hex');
  }

  #readHead(before: Buffer, chunk: Uint8Array): void {
    const head = Buffer.concat([before, chunk]);
    this.#head = head.byteLength < MAX_HEAD_BYTES ? head : undefined;
    try {
      const layout = readWavLayout(head);
      if (!layout) return;
      this.#head = undefined;
      const { format, channels, sampleRate, bitsPerSample } = layout;
      this.#hash.update(`${format} ${channels} ${sampleRate} ${bitsPerSample}\n`);
      this.#left = layout.dataBytes ?? Number.POSITIVE_INFINITY;
      this.#take(head.subarray(layout.dataStart));
    } catch {
      // No WAV: it has no such digest.
      this.#head = undefined;
    }
  }

  #take(chunk: Uint8Array): void {
    const left = this.#left ?? 0;
    const samples = chunk.byteLength > left ? chunk.subarray(0, left) : chunk;
    this.#hash.update(samples);
    this.#left = left - samples.byteLength;
  }
}
