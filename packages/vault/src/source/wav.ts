import { buffer } from 'node:stream/consumers';

/** RIFF, its size, WAVE: enough to tell a WAV file from an error page. */
export const RIFF_HEAD_BYTES = 12;
/** Most bytes before the samples: no recording has a longer head. */
export const MAX_HEAD_BYTES = 65_536;
const CHUNK_HEAD_BYTES = 8;
const FMT_BYTES = 16;
const EXTENSIBLE_FMT_BYTES = 40;
const DS64_BYTES = 16;

const EXTENSIBLE = 0xfffe;
/** Of the extensible format: the GUID of a format is its number, and these bytes (or nothing, as some writers have it). */
const formatGuidEnd = Buffer.from('000000001000800000aa00389b71', 'hex');
const emptyGuidEnd = Buffer.alloc(formatGuidEnd.byteLength);
/** Bits that a sample may have: PCM, IEEE float, A-law, mu-law. The length of any other format cannot be calculated. */
const sampleBits: Readonly<Record<number, readonly number[]>> = {
  1: [8, 16, 24, 32],
  3: [32, 64],
  6: [8],
  7: [8],
};

export interface WavLayout {
  /** 1: PCM; 7: mu-law. Of the extensible format it is the one inside. */
  format: number;
  /** Bytes a second, reckoned from the fields below: see {@link byteRateOf}. */
  byteRate: number;
  channels: number;
  sampleRate: number;
  bitsPerSample: number;
  /** Offset of the first sample. */
  dataStart: number;
  /** As the header says; undefined where the writer left it open. */
  dataBytes: number | undefined;
  /** Size of the whole file, as the header says; undefined where the writer left it open. */
  wholeBytes?: number | undefined;
  /** Sizes of 64 bits: RF64. */
  isLarge?: boolean;
}

type Format = Pick<WavLayout, 'format' | 'channels' | 'sampleRate' | 'bitsPerSample'>;

/**
 * Bytes of audio a second. The file states such a rate as well, and its writer could state any: it is not
 * asked. 0 where the samples' format allows no reckoning.
 */
export function byteRateOf({ format, channels, sampleRate, bitsPerSample }: Format): number {
  return sampleBits[format]?.includes(bitsPerSample) ? (sampleRate * channels * bitsPerSample) / 8 : 0;
}

/** How long so many bytes of samples last; undefined where the format allows no reckoning. */
export function secondsOf(layout: Format, dataBytes: number): number | undefined {
  const byteRate = byteRateOf(layout);
  return byteRate > 0 ? dataBytes / byteRate : undefined;
}

export function looksLikeAudio(head: Buffer): boolean {
  const form = head.toString('latin1', 0, 4);
  return isWavForm(form) && head.toString('latin1', 8, 12) === 'WAVE';
}

const isLargeForm = (form: string): boolean => form === 'RF64' || form === 'BW64';
const isWavForm = (form: string): boolean => form === 'RIFF' || isLargeForm(form);

/**
 * Whether a writer that streams put this there for a size that it did not know: 0, the largest number or one a header
 * below it (FFmpeg), 2 GiB less a page (SoX), 2 GiB and a header (arecord).
 */
function isOpen(size: number): boolean {
  return size === 0 || size >= 0xffff_0000 || (size >= 0x7fff_0000 && size <= 0x8001_0000);
}

/** Size of the whole file by its RIFF header; undefined where the writer left it open. */
export function riffBytes(head: Buffer): number | undefined {
  const size = head.readUInt32LE(4);
  return isOpen(size) ? undefined : size + CHUNK_HEAD_BYTES;
}

/**
 * Reads a WAV file's head out of bytes as they come, however they are cut, as far as its first sample. It keeps some tens
 * of bytes, passes over whatever other chunks stand there, and refuses what has no samples within {@link MAX_HEAD_BYTES}.
 * A size here is only what the header says: a caller that knows the file's length compares the two.
 */
export class WavHead {
  #layout: WavLayout | undefined;
  #refusal: string | undefined;
  /** The piece that is being put together. */
  readonly #piece = Buffer.alloc(EXTENSIBLE_FMT_BYTES);
  #pieceBytes = 0;
  #wanted = RIFF_HEAD_BYTES;
  #take: (piece: Buffer) => void = (piece) => this.#riff(piece);
  /** Bytes to be passed over before the piece, and where the next byte is in the file. */
  #skip = 0;
  #at = 0;
  #format: Format | undefined;
  #wholeBytes: number | undefined;
  #isLarge = false;
  #large: { whole: number; data: number } | undefined;

  /** Undefined until the first sample is reached, and for good where there is none. */
  get layout(): WavLayout | undefined {
    return this.#layout;
  }

  /** Why this is no recording; undefined while it may be one. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** True once more bytes change nothing. */
  get isRead(): boolean {
    return this.#layout !== undefined || this.#refusal !== undefined;
  }

  /** @returns those of these bytes that come behind the head: samples, and what follows them */
  push(chunk: Uint8Array): Uint8Array {
    let at = 0;
    while (!this.isRead) {
      const passed = Math.min(this.#skip, chunk.byteLength - at);
      this.#skip -= passed;
      const more =
        this.#skip > 0 ? 0 : Math.min(this.#wanted - this.#pieceBytes, chunk.byteLength - at - passed);
      this.#piece.set(chunk.subarray(at + passed, at + passed + more), this.#pieceBytes);
      this.#pieceBytes += more;
      at += passed + more;
      this.#at += passed + more;
      if (this.#skip > 0 || this.#pieceBytes < this.#wanted) return chunk.subarray(chunk.byteLength);
      this.#pieceBytes = 0;
      this.#take(this.#piece.subarray(0, this.#wanted));
    }
    return this.#layout ? chunk.subarray(at) : chunk.subarray(chunk.byteLength);
  }

  /** What is next wanted, behind so many bytes. */
  #expect(bytes: number, take: (piece: Buffer) => void, skip = 0): void {
    if (this.#at + skip + bytes > MAX_HEAD_BYTES) {
      this.#refusal = `no samples begin within its first ${MAX_HEAD_BYTES} bytes`;
      return;
    }
    this.#skip = skip;
    this.#wanted = bytes;
    this.#take = take;
  }

  #nextChunk(skip = 0): void {
    this.#expect(CHUNK_HEAD_BYTES, (piece) => this.#chunk(piece), skip);
  }

  #riff(piece: Buffer): void {
    const form = piece.toString('latin1', 0, 4);
    if (form === 'RIFX') this.#refusal = 'a WAV file of the big-endian kind (RIFX) is not read';
    else if (!looksLikeAudio(piece)) this.#refusal = 'it does not begin like a WAV file';
    else {
      this.#isLarge = isLargeForm(form);
      this.#wholeBytes = this.#isLarge ? undefined : riffBytes(piece);
      this.#nextChunk();
    }
  }

  #chunk(piece: Buffer): void {
    const id = piece.toString('latin1', 0, 4);
    const size = piece.readUInt32LE(4);
    // Chunks are padded to an even length.
    const padded = size + (size % 2);
    if (id === 'data') this.#data(size);
    else if (id === 'fmt ') this.#fmt(size, padded);
    else if (id === 'ds64' && this.#isLarge && size >= DS64_BYTES) this.#ds64(padded);
    else this.#nextChunk(padded);
  }

  #fmt(size: number, padded: number): void {
    if (size < FMT_BYTES) {
      this.#refusal = 'its fmt chunk is too short';
      return;
    }
    const bytes = size < EXTENSIBLE_FMT_BYTES ? FMT_BYTES : EXTENSIBLE_FMT_BYTES;
    this.#expect(bytes, (fields) => {
      this.#format = formatOf(fields);
      this.#nextChunk(padded - bytes);
    });
  }

  #ds64(padded: number): void {
    this.#expect(DS64_BYTES, (fields) => {
      this.#large = { whole: wide(fields, 0), data: wide(fields, 8) };
      this.#nextChunk(padded - DS64_BYTES);
    });
  }

  #data(size: number): void {
    const format = this.#format;
    if (!format) this.#refusal = 'its samples come before their format';
    else if (format.channels !== 1 && format.channels !== 2)
      this.#refusal = `it has ${format.channels} channels, and a recording has one or two`;
    else if (this.#isLarge && !this.#large) this.#refusal = 'it is RF64 and does not state its sizes (ds64)';
    else {
      const large = size === 0xffff_ffff ? this.#large : undefined;
      const dataBytes = large ? large.data || undefined : isOpen(size) ? undefined : size;
      const whole = this.#large?.whole ? this.#large.whole + CHUNK_HEAD_BYTES : this.#wholeBytes;
      this.#layout = {
        ...format,
        byteRate: byteRateOf(format),
        dataStart: this.#at,
        dataBytes,
        ...(whole !== undefined && { wholeBytes: whole }),
        ...(this.#isLarge && { isLarge: true }),
      };
    }
  }
}

function formatOf(fmt: Buffer): Format {
  const tag = fmt.readUInt16LE(0);
  const end = fmt.subarray(26);
  const isInside =
    tag === EXTENSIBLE &&
    fmt.byteLength === EXTENSIBLE_FMT_BYTES &&
    (end.equals(formatGuidEnd) || end.equals(emptyGuidEnd));
  return {
    format: isInside ? fmt.readUInt16LE(24) : tag,
    channels: fmt.readUInt16LE(2),
    sampleRate: fmt.readUInt32LE(4),
    bitsPerSample: fmt.readUInt16LE(14),
  };
}

/** 64 bits, up to the largest exact number; no file is larger. */
const wide = (bytes: Buffer, at: number): number =>
  Math.min(Number(bytes.readBigUInt64LE(at)), Number.MAX_SAFE_INTEGER - MAX_HEAD_BYTES);

/** Most heads are some hundred bytes: the rest of {@link MAX_HEAD_BYTES} is read where they are not. */
const FIRST_READ_BYTES = 4_096;

/**
 * The head of a file of so many bytes, of which any part can be read.
 * @param read the bytes [start, end], both inclusive
 * @throws as `read`
 */
export async function readWavHead(
  totalBytes: number,
  read: (start: number, end: number) => Promise<AsyncIterable<Uint8Array>> | AsyncIterable<Uint8Array>,
): Promise<WavHead> {
  const head = new WavHead();
  const most = Math.min(totalBytes, MAX_HEAD_BYTES);
  for (let start = 0; start < most && !head.isRead; ) {
    const end = Math.min(most, start === 0 ? FIRST_READ_BYTES : MAX_HEAD_BYTES) - 1;
    head.push(await buffer(await read(start, end)));
    start = end + 1;
  }
  return head;
}
