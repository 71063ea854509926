import { pipeline, type Readable, type Transform } from 'node:stream';
import { CustodyError, type MediaSource, type SealedObject } from '@flex-custody/core';
import { sealStream } from './envelope/seal.ts';
import type { Keys } from './keys/types.ts';
import { AudioDigest } from './source/audio-digest.ts';
import type { OpenedMedia } from './source/types.ts';
import type { Store } from './store/types.ts';

export interface CopyInput {
  source: MediaSource;
  media: OpenedMedia;
  /** Undefined in sse-kms mode, where the store seals. */
  keys: Keys | undefined;
  store: Store;
  objectKey: string;
  signal?: AbortSignal;
  /** Bytes of audio that went through, and their number when the source told it. */
  onProgress?: (done: number, total: number | undefined) => void;
}

/**
 * Copies a recording in one pass: guarded source → proof that it is whole, and SHA-256 → seal → store. The store
 * finishes an object only when everything before it ended well, so a source that fails leaves none.
 * Errors: media_* and store_* (see there), key_*.
 */
export async function copyRecording(input: CopyInput): Promise<SealedObject> {
  const { source, media, keys, store, objectKey, signal, onProgress } = input;
  const audio = new AudioDigest(source, (done) => onProgress?.(done, media.contentLength));
  try {
    const sealer = await sealerFor(store, keys, source);
    // Errors travel down the pipeline into the store, which then finishes nothing: no callback has to.
    const body: Readable = sealer
      ? pipeline(media.body, audio, sealer, () => undefined)
      : pipeline(media.body, audio, () => undefined);
    const stored = await store.put(objectKey, body, signal ? { signal } : {});
    return {
      key: objectKey,
      mode: store.mode,
      etag: stored.etag,
      ...(stored.versionId !== undefined && { versionId: stored.versionId }),
      bytes: stored.bytes,
      plaintextBytes: audio.bytes,
      plaintextSha256: audio.sha256(),
      keyId: (sealer && keys?.keyId) ?? stored.kmsKeyId ?? 'bucket-default',
    };
  } finally {
    media.body.destroy();
  }
}

async function sealerFor(
  store: Store,
  keys: Keys | undefined,
  source: MediaSource,
): Promise<Transform | undefined> {
  if (store.mode === 'sse-kms') return undefined;
  if (!keys) throw new CustodyError('key_invalid', 'envelope mode needs a key: nothing is stored unsealed');
  return sealStream(keys, { account: source.accountSid, recording: source.recordingSid });
}
