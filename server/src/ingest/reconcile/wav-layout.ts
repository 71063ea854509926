import { CustodyError } from '@flex-custody/core';
import { readWavLayout, type WavLayout } from '@flex-custody/vault';

/** Bits of a sample that each format may have: PCM, A-law, mu-law. */
const sampleBits: Readonly<Record<number, readonly number[]>> = { 1: [8, 16, 24, 32], 6: [8], 7: [8] };

/**
 * How long so many bytes of samples last, by what the samples are. The file's own byte rate says the same in a file that is
 * sound, and anything in one that is not. Undefined where the format is not one of these.
 */
export function secondsOf(layout: WavLayout, dataBytes: number): number | undefined {
  const { bitsPerSample, channels, format, sampleRate } = layout;
  if (!sampleBits[format]?.includes(bitsPerSample)) return undefined;
  const bytesPerSecond = (sampleRate * channels * bitsPerSample) / 8;
  return bytesPerSecond > 0 ? dataBytes / bytesPerSecond : undefined;
}

/**
 * What a WAV file's first kilobytes say of it.
 * @throws CustodyError `not_audio`
 */
export function wavLayout(head: Buffer): WavLayout {
  try {
    const layout = readWavLayout(head);
    if (layout) return layout;
  } catch {
    // Said below.
  }
  throw new CustodyError('not_audio', 'what lies there is no WAV file');
}
