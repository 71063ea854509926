import { CustodyError } from '@flex-custody/core';
import { readWavLayout, type WavLayout } from '@flex-custody/vault';

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
