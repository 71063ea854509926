import { WavHead, type WavLayout } from '@flex-custody/vault';

const pcm = 1;
const muLaw = 7;

/** Interleaved samples of 16 bit, as many of each channel. */
export type TakeSamples = (samples: Int16Array, layout: WavLayout) => void;

/**
 * Reads the samples of a WAV file that comes in pieces: PCM of 16 bit, and mu-law. From other formats, and from files that are
 * not WAV, it reads nothing: such recordings are kept without analysis.
 */
export class SampleReader {
  readonly #take: TakeSamples;
  #head: WavHead | undefined;
  #layout: WavLayout | undefined;
  /** Bytes of samples still to come. */
  #left = 0;
  #rest: Uint8Array = new Uint8Array();

  constructor(take: TakeSamples) {
    this.#take = take;
  }

  /** Undefined until the header has come, and always if the samples cannot be read. */
  get layout(): WavLayout | undefined {
    return this.#layout;
  }

  push(chunk: Uint8Array): void {
    if (this.#layout) {
      this.#samples(chunk);
      return;
    }
    this.#head ??= new WavHead();
    if (this.#head.isRead) return;
    const samples = this.#head.push(chunk);
    const { layout } = this.#head;
    if (!layout || !isReadable(layout)) return;
    this.#layout = layout;
    this.#left = layout.dataBytes ?? Number.POSITIVE_INFINITY;
    this.#samples(samples);
  }

  #samples(chunk: Uint8Array): void {
    const layout = this.#layout;
    if (!layout || this.#left <= 0) return;
    // Other chunks of the file follow the samples.
    const ours = chunk.subarray(0, Math.min(chunk.byteLength, this.#left));
    this.#left -= ours.byteLength;
    const bytes = this.#rest.byteLength === 0 ? ours : Buffer.concat([this.#rest, ours]);
    const frameBytes = (layout.bitsPerSample / 8) * layout.channels;
    const whole = bytes.byteLength - (bytes.byteLength % frameBytes);
    this.#rest = Uint8Array.from(bytes.subarray(whole));
    if (whole === 0) return;
    this.#take(
      layout.format === muLaw ? decode(bytes.subarray(0, whole)) : linear(bytes.subarray(0, whole)),
      layout,
    );
  }
}

function isReadable({ format, bitsPerSample, sampleRate }: WavLayout): boolean {
  const isKnown = (format === pcm && bitsPerSample === 16) || (format === muLaw && bitsPerSample === 8);
  return isKnown && sampleRate >= 1_000 && sampleRate <= 192_000;
}

/** Little-endian, as WAV files are, and every machine that Node runs on. */
function linear(bytes: Uint8Array): Int16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : Uint8Array.from(bytes);
  return new Int16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2);
}

/** ITU-T G.711. */
const muLawTable = Int16Array.from({ length: 256 }, (_, code) => {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4)) - 0x84;
  return bits & 0x80 ? -magnitude : magnitude;
});

function decode(bytes: Uint8Array): Int16Array {
  return Int16Array.from(bytes, (code) => muLawTable[code] ?? 0);
}
