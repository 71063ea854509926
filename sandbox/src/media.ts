import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Twilio's media: 8,000 samples a second, 16 bit, one or two channels, behind a 44-byte header. */
export const sampleRate = 8000;
export const headerBytes = 44;
const sampleBytes = 2;
const chunkBytes = 256 * 1024;
const inMemoryBytes = 16 * 1024 * 1024;

/** Samples that can be read at any offset, however long. */
interface Samples {
  readonly channels: 1 | 2;
  readonly bytes: number;
  read(offset: number, bytes: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** A recording's media in the two forms that Twilio offers it. */
export interface WavSource {
  /** Channels as stored: what may be asked for at most. */
  readonly channels: 1 | 2;
  size(channels: 1 | 2): number;
  /** Bytes [start, end] of the WAV file. */
  stream(channels: 1 | 2, start: number, end: number): Readable;
  sha256(channels: 1 | 2): Promise<string>;
}

export class WavRefused extends Error {}

const refuse = (what: string): never => {
  throw new WavRefused(
    `${what}; the sandbox plays PCM WAV of 8 kHz, 16 bit, 1 or 2 channels (sox in.wav -r 8000 -b 16 out.wav makes one)`,
  );
};

/** Finds the samples in a WAV file. @throws WavRefused with what is wrong with it, for a person */
async function openSamples(path: string): Promise<Samples> {
  const file = await open(path, 'r');
  try {
    return await readSamples(file);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readSamples(file: FileHandle): Promise<Samples> {
  const { readWavHead } = await import('@flex-custody/vault');
  const { size } = await file.stat();
  const at = async (offset: number, bytes: number) =>
    (await file.read(Buffer.alloc(bytes), 0, bytes, offset)).buffer;
  const { layout, refusal = 'it holds no samples' } = await readWavHead(size, async (start, end) =>
    Readable.from([await at(start, end - start + 1)]),
  );
  if (!layout) return refuse(`this is no WAV file of a call: ${refusal}`);
  const { bitsPerSample, channels, dataStart, format, sampleRate: rate } = layout;
  if (format !== 1) refuse('this WAV is not plain PCM');
  if (rate !== sampleRate || bitsPerSample !== 16) refuse(`this WAV has ${rate} Hz and ${bitsPerSample} bit`);
  const length = Math.min(layout.dataBytes ?? size, size - dataStart);
  const whole = length - (length % (channels * sampleBytes));
  if (whole <= 0) refuse('this WAV holds no samples');
  return samplesOf(file, channels === 2 ? 2 : 1, dataStart, whole);
}

async function samplesOf(file: FileHandle, channels: 1 | 2, start: number, bytes: number): Promise<Samples> {
  const read = async (offset: number, length: number) => {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, start + offset);
    return buffer.subarray(0, bytesRead);
  };
  if (bytes > inMemoryBytes) return { channels, bytes, read, close: () => file.close() };
  const all = await read(0, bytes);
  await file.close();
  return {
    channels,
    bytes,
    read: async (offset, length) => all.subarray(offset, offset + length),
    close: async () => undefined,
  };
}

/** Both channels mixed into one, as Twilio gives a dual recording that is asked for as mono. */
function mixed(stereo: Samples): Samples {
  return {
    channels: 1,
    bytes: stereo.bytes / 2,
    async read(offset, bytes) {
      const from = offset - (offset % sampleBytes);
      const to = Math.min(this.bytes, Math.ceil((offset + bytes) / sampleBytes) * sampleBytes);
      const pairs = await stereo.read(from * 2, (to - from) * 2);
      const mono = Buffer.allocUnsafe(pairs.length / 2);
      for (let pair = 0; pair < pairs.length; pair += 4) {
        mono.writeInt16LE((pairs.readInt16LE(pair) + pairs.readInt16LE(pair + 2)) >> 1, pair / 2);
      }
      return mono.subarray(offset - from, offset - from + bytes);
    },
    close: stereo.close,
  };
}

/** The samples again and again, from `skip` on, to the asked length. */
function repeated(base: Samples, skip: number, bytes: number): Samples {
  return {
    channels: base.channels,
    bytes,
    async read(offset, length) {
      const within = (skip + offset) % base.bytes;
      return base.read(within, Math.min(length, base.bytes - within, bytes - offset));
    },
    close: base.close,
  };
}

/**
 * The lowest bit of the first 256 samples says whose recording it is. Inaudible, but no two recordings are equal, so
 * that one played in place of another cannot go unnoticed.
 */
function marked(base: Samples, mark: string): Samples {
  const bits = createHash('sha256').update(mark).digest();
  const end = bits.length * 8 * sampleBytes;
  return {
    channels: base.channels,
    bytes: base.bytes,
    async read(offset, length) {
      const bytes = await base.read(offset, length);
      if (offset >= end) return bytes;
      const copy = Buffer.from(bytes);
      for (let at = offset + (offset % 2); at < end && at - offset < copy.length; at += sampleBytes) {
        const sample = at / sampleBytes;
        const bit = ((bits[sample >> 3] ?? 0) >> (sample & 7)) & 1;
        copy[at - offset] = ((copy[at - offset] ?? 0) & 0xfe) | bit;
      }
      return copy;
    },
    close: base.close,
  };
}

function header(channels: number, dataBytes: number): Buffer {
  const head = Buffer.alloc(headerBytes);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + dataBytes, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(sampleRate, 24);
  head.writeUInt32LE(sampleRate * channels * sampleBytes, 28);
  head.writeUInt16LE(channels * sampleBytes, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(dataBytes, 40);
  return head;
}

async function* bytesOf(samples: Samples, start: number, end: number): AsyncGenerator<Buffer> {
  const head = header(samples.channels, samples.bytes);
  if (start < headerBytes) yield head.subarray(start, Math.min(headerBytes, end + 1));
  let at = Math.max(0, start - headerBytes);
  const stop = end + 1 - headerBytes;
  while (at < stop) {
    const chunk = await samples.read(at, Math.min(chunkBytes, stop - at));
    if (chunk.length === 0) throw new Error('the WAV file became shorter while it was read');
    at += chunk.length;
    yield chunk;
  }
}

/** A WAV file of a person's own or the committed dialogue. */
export interface Media {
  readonly channels: 1 | 2;
  readonly seconds: number;
  /**
   * One recording of it. Longer than the file: repeated; constant memory either way.
   * @param skipSeconds where in the file it begins
   * @param mark whose recording it is; undefined leaves every sample as it is in the file
   */
  recording(options: { channels: 1 | 2; seconds: number; skipSeconds?: number; mark?: string }): WavSource;
  close(): Promise<void>;
}

/** @throws WavRefused when it is no WAV that Twilio could have recorded */
export async function openMediaFile(path: string): Promise<Media> {
  const base = await openSamples(path);
  const bytesPerSecond = sampleRate * sampleBytes * base.channels;
  return {
    channels: base.channels,
    seconds: base.bytes / bytesPerSecond,
    recording({ channels, seconds, skipSeconds = 0, mark }) {
      if (channels > base.channels) refuse('this WAV has 1 channel');
      const frames = Math.max(1, Math.round(seconds * sampleRate));
      const frame = base.channels * sampleBytes;
      if (frames * frame > 0xffff_ffff - headerBytes) refuse('a WAV of 4 GiB or more cannot be written');
      const long = repeated(base, Math.round(skipSeconds * sampleRate) * frame, frames * frame);
      const own = mark === undefined ? long : marked(long, mark);
      return wavSource(channels < base.channels ? mixed(own) : own);
    },
    close: () => base.close(),
  };
}

function wavSource(stored: Samples): WavSource {
  const digests = new Map<number, Promise<string>>();
  const as = (channels: 1 | 2) => (channels < stored.channels ? mixed(stored) : stored);
  const size = (channels: 1 | 2) => headerBytes + as(channels).bytes;
  const digest = async (channels: 1 | 2) => {
    const hash = createHash('sha256');
    for await (const chunk of bytesOf(as(channels), 0, size(channels) - 1)) {
      hash.update(chunk);
      // Samples in memory come without a turn of the loop, and an hour of them would block all other requests.
      await nextTurn();
    }
    return hash.digest('hex');
  };
  return {
    channels: stored.channels,
    size,
    stream: (channels, start, end) =>
      Readable.from(bytesOf(as(channels), start, end), { objectMode: false, highWaterMark: chunkBytes }),
    sha256(channels) {
      const known = digests.get(channels) ?? digest(channels);
      digests.set(channels, known);
      return known;
    },
  };
}
