import { CustodyError, type SealedObject } from '@flex-custody/core';
import { collectBytes } from './envelope/object-bytes.ts';
import { openEnvelope } from './envelope/open-envelope.ts';
import type { SealContext } from './envelope/types.ts';
import type { Keys } from './keys/types.ts';
import { looksLikeAudio, RIFF_HEAD_BYTES } from './source/wav.ts';
import type { Store } from './store/types.ts';

/** More than enough for two small reads and a key service. */
const longestMs = 30_000;

/**
 * Whether a copy can be opened at this moment, by the keys that play it: its header and its last frame are decrypted, of
 * the very version and ETag that the catalog has. Where S3 seals, its first bytes are read through S3's key.
 * @throws CustodyError `key_*` or `envelope_wrong_key` where the keys fail, `envelope_*` or `object_*` where the object
 * does, `store_*` where the bucket cannot be asked now
 */
export async function opensNow(
  object: SealedObject,
  keys: Keys | undefined,
  store: Pick<Store, 'get'>,
  context: SealContext,
): Promise<void> {
  const signal = AbortSignal.timeout(longestMs);
  const read = (start: number, end: number) =>
    store.get(object.key, {
      start,
      end,
      ifMatch: object.etag,
      ...(object.versionId !== undefined && { versionId: object.versionId }),
      signal,
    });
  if (object.mode === 'sse-kms') {
    const { body, totalBytes } = await read(0, RIFF_HEAD_BYTES - 1);
    const start = await collectBytes(body, RIFF_HEAD_BYTES);
    if (totalBytes !== object.bytes || !looksLikeAudio(start)) throw other(object);
    return;
  }
  if (!keys) throw new CustodyError('key_missing', 'a sealed copy needs a key, and none is configured');
  const opened = await openEnvelope(keys, { expectedBytes: object.bytes, read }, context, signal);
  if (opened.plaintextBytes !== object.plaintextBytes) throw other(object);
}

function other({ key }: SealedObject): CustodyError {
  return new CustodyError('object_mismatch', `${key} does not hold what the catalog says`);
}
