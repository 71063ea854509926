/** Audio whose contents are known: what a channel plays, and when. */
export interface Sound {
  channel: 0 | 1;
  /** Seconds. */
  from: number;
  to: number;
  /** Relative to full scale, dB. */
  dbfs: number;
}

export interface Construction {
  seconds: number;
  channels?: 1 | 2;
  sampleRate?: number;
  /** Noise of the line on every channel, dBFS. */
  noise?: number;
  sounds?: readonly Sound[];
}

/** Interleaved samples: noise is even and repeatable, sounds are tones of 440 Hz with that mean level. */
export function samplesOf({
  seconds,
  channels = 2,
  sampleRate = 8_000,
  noise,
  sounds = [],
}: Construction): Int16Array {
  const count = Math.round(seconds * sampleRate);
  const levels = new Float64Array(count * channels);
  // Peak over mean level, of even noise and of a tone.
  const amplitude = (dbfs: number, crest: number) => 32_768 * 10 ** (dbfs / 20) * crest;
  if (noise !== undefined) {
    const loudest = amplitude(noise, Math.sqrt(3));
    let state = 1;
    for (let at = 0; at < levels.length; at += 1) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      levels[at] = (state / 0x40000000 - 1) * loudest;
    }
  }
  for (const { channel, from, to, dbfs } of sounds) {
    const loudest = amplitude(dbfs, Math.SQRT2);
    const end = Math.min(count, Math.ceil(to * sampleRate));
    for (let at = Math.ceil(from * sampleRate); at < end; at += 1) {
      const index = at * channels + channel;
      levels[index] = (levels[index] ?? 0) + Math.sin((2 * Math.PI * 440 * at) / sampleRate) * loudest;
    }
  }
  const samples = new Int16Array(levels.length);
  for (let at = 0; at < levels.length; at += 1)
    samples[at] = Math.max(-32_768, Math.min(32_767, Math.round(levels[at] ?? 0)));
  return samples;
}

interface Head {
  format?: number;
  bits?: number;
  /** The size as written: 0 and FFFFFFFF leave it open. */
  dataBytes?: number;
  /** Chunks before the samples. */
  extra?: Buffer;
}

/** A WAV file around samples. */
export function wavOf(
  data: Buffer,
  { channels = 2, sampleRate = 8_000 }: Partial<Construction> = {},
  head: Head = {},
): Buffer {
  const { format = 1, bits = 16, dataBytes = data.length, extra = Buffer.alloc(0) } = head;
  const start = Buffer.alloc(36);
  start.write('RIFF', 0);
  start.writeUInt32LE((36 + extra.length + data.length) >>> 0, 4);
  start.write('WAVEfmt ', 8);
  start.writeUInt32LE(16, 16);
  start.writeUInt16LE(format, 20);
  start.writeUInt16LE(channels, 22);
  start.writeUInt32LE(sampleRate, 24);
  start.writeUInt32LE((sampleRate * channels * bits) / 8, 28);
  start.writeUInt16LE((channels * bits) / 8, 32);
  start.writeUInt16LE(bits, 34);
  const chunk = Buffer.alloc(8);
  chunk.write('data', 0);
  chunk.writeUInt32LE(dataBytes, 4);
  return Buffer.concat([start, extra, chunk, data]);
}

export function speech(of: Construction, head: Head = {}): Buffer {
  const samples = samplesOf(of);
  return wavOf(Buffer.from(samples.buffer), of, head);
}
