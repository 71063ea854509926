import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { CustodyError, type MediaSource, type SealedObject } from '@flex-custody/core';
import { openStream } from './envelope/open-stream.ts';
import type { Keys } from './keys/types.ts';
import type { Store } from './store/types.ts';

export interface VerifyInput {
  object: SealedObject;
  source: MediaSource;
  /** The keys that playback uses: what they cannot open is not in custody. Undefined in sse-kms mode. */
  keys: Keys | undefined;
  store: Store;
  signal?: AbortSignal;
  /** Sees the audio as it is proven, in order. */
  onPlaintext?: (chunk: Uint8Array) => void;
}

/**
 * Proves a copy by reading it again, exactly the version that was written: every frame opens, and length and digest are
 * those of the audio that came from the source. Errors: object_mismatch, envelope_*, object_missing, object_changed,
 * store_unavailable (the only retryable one).
 */
export async function verifyObject(input: VerifyInput): Promise<void> {
  const { object, source, keys, store, signal, onPlaintext } = input;
  if (object.mode === 'envelope' && !keys) {
    throw new CustodyError('key_invalid', 'a sealed copy is verified with the key that plays it back');
  }
  const { body, totalBytes } = await store.get(object.key, {
    ifMatch: object.etag,
    ...(object.versionId !== undefined && { versionId: object.versionId }),
    ...(signal && { signal }),
  });
  const hash = createHash('sha256');
  let bytes = 0;
  const read = async (plaintext: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of plaintext) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      onPlaintext?.(chunk);
    }
  };
  const options = signal ? { signal } : {};
  if (totalBytes !== object.bytes) {
    body.destroy();
    throw mismatch(object, `it has ${totalBytes} bytes instead of ${object.bytes}`);
  }
  if (object.mode === 'envelope' && keys) {
    const opener = openStream(keys, { account: source.accountSid, recording: source.recordingSid });
    await pipeline(body, opener, read, options);
  } else {
    await pipeline(body, read, options);
  }
  if (bytes !== object.plaintextBytes) {
    throw mismatch(object, `it holds ${bytes} bytes of audio instead of ${object.plaintextBytes}`);
  }
  if (hash.digest('hex') !== object.plaintextSha256) throw mismatch(object, 'its audio has another digest');
}

function mismatch(object: SealedObject, how: string): CustodyError {
  return new CustodyError('object_mismatch', `${object.key} is not what was copied: ${how}`);
}
