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
  /** 1: PCM; 7: mu-law. */
  format: number;
  byteRate: number;
  channels: number;
  sampleRate: number;
  bitsPerSample: number;
  /** Offset of the first sample. */
  dataStart: number;
  /** Undefined when the writer left it open. */
  dataBytes: number | undefined;
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
      if (at + 24 > head.byteLength) return undefined;
      format = {
        format: head.readUInt16LE(at + 8),
        channels: head.readUInt16LE(at + 10),
        sampleRate: head.readUInt32LE(at + 12),
        byteRate: head.readUInt32LE(at + 16),
        bitsPerSample: head.readUInt16LE(at + 22),
      };
    }
    // Chunks are padded to an even length.
    at += 8 + size + (size % 2);
  }
  return undefined;
}
