/** RIFF, its size, WAVE: enough to tell a WAV file from an error page. */
export const RIFF_HEAD_BYTES = 12;

export function looksLikeAudio(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WAVE';
}

/**
 * Size of the whole file by its RIFF header; undefined when the writer left it open (0 or FFFFFFFF), as those who
 * stream do.
 */
export function riffBytes(head: Buffer): number | undefined {
  const size = head.readUInt32LE(4);
  return size === 0 || size === 0xffffffff ? undefined : size + 8;
}

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
  /** Undefined when the writer left it open. */
  dataBytes: number | undefined;
}

/** PCM, IEEE float, A-law, mu-law: each sample of a channel takes the stated bits, so that a length can be reckoned. */
const plainFormats: readonly number[] = [1, 3, 6, 7];
const EXTENSIBLE = 0xfffe;

/**
 * Bytes of audio a second. The file states such a rate as well, and whoever wrote the file could state any: it is not
 * asked. 0 where the samples' format allows no reckoning.
 */
export function byteRateOf(layout: Omit<WavLayout, 'byteRate' | 'dataStart' | 'dataBytes'>): number {
  const { format, channels, sampleRate, bitsPerSample } = layout;
  return plainFormats.includes(format) ? (sampleRate * channels * bitsPerSample) / 8 : 0;
}

/**
 * Walks the chunks of a WAV file as far as its data chunk. Undefined when the given bytes do not reach that far;
 * throws RangeError on what is no WAV file.
 */
export function readWavLayout(head: Buffer): WavLayout | undefined {
  if (head.byteLength < RIFF_HEAD_BYTES) return undefined;
  if (!looksLikeAudio(head)) throw new RangeError('no RIFF/WAVE header');
  let format: Omit<WavLayout, 'dataStart' | 'dataBytes'> | undefined;
  for (let at = RIFF_HEAD_BYTES; at + 8 <= head.byteLength; ) {
    const id = head.toString('latin1', at, at + 4);
    const size = head.readUInt32LE(at + 4);
    if (id === 'data') {
      if (!format) throw new RangeError('the data chunk comes before the fmt chunk');
      return {
        ...format,
        dataStart: at + 8,
        dataBytes: size === 0 || size === 0xffffffff ? undefined : size,
      };
    }
    if (id === 'fmt ') {
      if (size < 16) throw new RangeError('the fmt chunk is too short');
      const isExtensible =
        size >= 40 && head.byteLength >= at + 10 && head.readUInt16LE(at + 8) === EXTENSIBLE;
      if (at + (isExtensible ? 34 : 24) > head.byteLength) return undefined;
      const fields = {
        format: head.readUInt16LE(at + (isExtensible ? 32 : 8)),
        channels: head.readUInt16LE(at + 10),
        sampleRate: head.readUInt32LE(at + 12),
        bitsPerSample: head.readUInt16LE(at + 22),
      };
      format = { ...fields, byteRate: byteRateOf(fields) };
    }
    // Chunks are padded to an even length.
    at += 8 + size + (size % 2);
  }
  return undefined;
}
