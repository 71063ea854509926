import { CustodyError, type SealedObject } from '@flex-custody/core';
import { rewrapHeader } from './envelope/header.ts';
import { collectBytes } from './envelope/object-bytes.ts';
import { openEnvelope, readHeader } from './envelope/open-envelope.ts';
import type { ObjectReader, SealContext } from './envelope/types.ts';
import type { Keys } from './keys/types.ts';
import type { Store, Stored, StoredPart } from './store/types.ts';

/** An object up to this size is read and written again; a larger one is copied inside the store. */
const SMALL_BYTES = 8 * 1024 * 1024;
/** Bytes uploaded with the new header: more than the least that a part may have. */
const FIRST_BYTES = 6 * 1024 * 1024;
/** S3 copies at most 5 GiB at once. */
const COPY_BYTES = 1024 * 1024 * 1024;

export interface RenewInput {
  /** A sealed message. */
  object: SealedObject;
  context: SealContext;
  /** That open it, and of which the newest seals. */
  keys: Keys;
  store: Store;
  signal?: AbortSignal;
}

/**
 * Rewraps a stored message's data key, by the newest key alone: it writes a new header, and its body is copied
 * inside the store as it is, but for its first mebibytes. Resolves with the new version, which opens by the new key and
 * has the length of the old; the caller removes the old version once it has noted the new one.
 * @throws CustodyError `envelope_*`, `key_*`, `object_*`, `store_*`; then there is no new version
 */
export async function renewObject(input: RenewInput): Promise<SealedObject> {
  const { object, context, keys, store, signal } = input;
  const reader = readerOf(store, object, object);
  const { parsed, start } = await readHeader(reader, signal);
  const header = await rewrapHeader(keys, start.subarray(0, parsed.bytes), context);
  const bytes = object.bytes - parsed.bytes + header.byteLength;
  const whole = { bodyStart: parsed.bytes, header, bytes };
  const stored = object.bytes <= SMALL_BYTES ? await putAnew(input, whole) : await copyBehind(input, whole);
  const renewed: SealedObject = { ...object, etag: stored.etag, bytes, keyId: keys.keyId };
  delete renewed.versionId;
  if (stored.versionId !== undefined) renewed.versionId = stored.versionId;
  try {
    const opened = await openEnvelope(keys, readerOf(store, renewed, renewed), context, signal);
    if (opened.plaintextBytes !== object.plaintextBytes || opened.keyId !== keys.keyId) {
      throw new CustodyError('object_mismatch', `${object.key} does not open with its new header`);
    }
  } catch (error) {
    if (isVersionOfItsOwn(renewed, object))
      await store.delete(object.key, renewed.versionId).catch(() => undefined);
    throw error;
  }
  return renewed;
}

/**
 * Whether what was stored is a version beside the one before. Without versions, or while they are suspended (`null`), it has
 * taken that one's place: then there is nothing else to fall back on, and nothing may be removed by it.
 */
export const isVersionOfItsOwn = (
  now: Pick<SealedObject, 'versionId'>,
  before: Pick<SealedObject, 'versionId'>,
): boolean => now.versionId !== undefined && now.versionId !== 'null' && now.versionId !== before.versionId;

interface Whole {
  /** Where the frames begin in the old object. */
  bodyStart: number;
  header: Buffer;
  /** Of the new object. */
  bytes: number;
}

async function putAnew({ object, store, signal }: RenewInput, { bodyStart, header }: Whole): Promise<Stored> {
  const body = await bytesOf(store, object, bodyStart, object.bytes - 1, signal);
  return store.putBytes(object.key, Buffer.concat([header, body]), { isRecording: true });
}

async function copyBehind(
  { object, store, signal }: RenewInput,
  { bodyStart, header, bytes }: Whole,
): Promise<Stored> {
  const { key, versionId, etag } = object;
  const uploadId = await store.beginUpload(key);
  try {
    let at = bodyStart + FIRST_BYTES;
    const first = await bytesOf(store, object, bodyStart, at - 1, signal);
    const parts: StoredPart[] = [await store.sendPart(key, uploadId, 1, Buffer.concat([header, first]))];
    while (at < object.bytes) {
      signal?.throwIfAborted();
      const end = Math.min(object.bytes, at + COPY_BYTES) - 1;
      const from = { key, etag, start: at, end, ...(versionId !== undefined && { versionId }) };
      parts.push(await store.copyPart(key, uploadId, parts.length + 1, from));
      at = end + 1;
    }
    return await store.completeUpload(key, uploadId, parts, bytes);
  } catch (error) {
    await store.abortUpload(key, uploadId).catch(() => undefined);
    throw error;
  }
}

async function bytesOf(
  store: Store,
  object: SealedObject,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const { body } = await readerOf(store, object, object).read(start, end, signal);
  return collectBytes(body, end - start + 1);
}

function readerOf(
  store: Store,
  { key, bytes }: SealedObject,
  at: Pick<Stored, 'etag' | 'versionId'>,
): ObjectReader {
  return {
    expectedBytes: bytes,
    read: (start, end, signal) =>
      store.get(key, {
        start,
        end,
        ifMatch: at.etag,
        ...(at.versionId !== undefined && { versionId: at.versionId }),
        ...(signal && { signal }),
      }),
  };
}
