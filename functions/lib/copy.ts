import { type CopyReport, errorCode, type IngestAnswer, isRetryable } from '@flex-custody/core';
import {
  copyResumably,
  createKeys,
  createStore,
  type Keys,
  openMedia,
  type Store,
} from '@flex-custody/vault';
import type { FunctionConfig } from './config.ts';
import { type Deadline, fits } from './deadline.ts';

type CopyLease = Extract<IngestAnswer, { action: 'copy' }>;
type LeaseEnd = Exclude<CopyReport, { outcome: 'forwarded' }>;

/**
 * Copies one recording under its lease, or says why not. Never throws: however it ends is for the host to hear.
 * Nothing is sealed before the size is known to fit into the time left, and what is begun and cannot be finished
 * leaves neither an object nor parts.
 */
export async function copyUnderLease(
  config: FunctionConfig,
  { lease, source, objectKey, rate }: CopyLease,
  deadline: Deadline,
): Promise<LeaseEnd> {
  const beganAt = deadline.elapsed();
  const { signal } = deadline;
  try {
    const { keys, store } = partsOf(config);
    const media = await openMedia(source, config.media, { signal });
    // The stream may fail before its first read; that read then still gets the error.
    media.body.on('error', () => undefined);
    const expected = media.contentLength ?? wavBytes(source.durationSeconds, media.channels);
    if (!fits(expected, rate, deadline)) {
      media.body.destroy();
      return { outcome: 'handed-back', lease, reason: 'too-long' };
    }
    // Without saved state: the host takes over what fails here, from the beginning.
    const open = async () => media;
    const copied = await copyResumably({ source, open, keys, store, objectKey, signal });
    const tookMs = Math.max(1, Math.round(deadline.elapsed() - beganAt));
    return { outcome: 'sealed', lease, ...copied, tookMs };
  } catch (error) {
    if (signal.aborted) return { outcome: 'handed-back', lease, reason: 'out-of-time' };
    return { outcome: 'failed', lease, code: errorCode(error), retryable: isRetryable(error) };
  }
}

/** 8 kHz, 16 bit: what Twilio serves as WAV. */
function wavBytes(seconds: number | undefined, channels: 1 | 2): number | undefined {
  return seconds === undefined ? undefined : seconds * 16_000 * channels;
}

let last: { text: string; keys: Keys | undefined; store: Store } | undefined;

/** Sockets and keys outlive a call where the platform keeps the process warm. */
function partsOf(config: FunctionConfig): { keys: Keys | undefined; store: Store } {
  const text = JSON.stringify([config.store, config.key]);
  if (last?.text !== text) {
    last?.store.close();
    last = { text, keys: config.key && createKeys(config.key), store: createStore(config.store) };
  }
  return last;
}
