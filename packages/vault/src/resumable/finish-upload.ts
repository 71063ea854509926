import { CustodyError, type SealedObject } from '@flex-custody/core';
import { collectBytes } from '../envelope/object-bytes.ts';
import type { Store, Stored, StoredPart } from '../store/types.ts';
import type { UploadState } from './upload-state.ts';

export interface Copied {
  object: SealedObject;
  /** Of the audio itself. */
  channels: 1 | 2;
}

/** All its parts were sent, and its audio was proven whole. */
export type FinishedState = UploadState & { done: NonNullable<UploadState['done']> };

/**
 * Makes the object of an upload whose parts have all arrived. A missing upload may only mean that an earlier
 * request for it did its work and the answer was lost, as when the SDK has asked twice.
 * @throws CustodyError `upload_gone` where there is no such object, or as the store does
 */
export async function finishUpload(
  store: Store,
  state: FinishedState,
  arrived: readonly StoredPart[],
): Promise<Copied> {
  const parts = arrived.filter(({ number }) => number <= state.parts.length);
  try {
    return copied(
      store,
      state,
      await store.completeUpload(state.key, state.uploadId, parts, state.done.bytes),
    );
  } catch (error) {
    const there = isGone(error) ? await findFinished(store, state) : undefined;
    if (there) return there;
    throw error;
  }
}

/**
 * The object of an upload that is no more, if it is the one at that key: it has its size and its very header, which no
 * other message has. Undefined too where S3 seals and there is no header to tell by.
 */
export async function findFinished(store: Store, state: FinishedState): Promise<Copied | undefined> {
  if (state.header === '') return undefined;
  const stored = await store.head(state.key);
  if (!stored || stored.bytes !== state.done.bytes) return undefined;
  const header = Buffer.from(state.header, 'base64');
  const { body } = await store.get(state.key, {
    start: 0,
    end: header.byteLength - 1,
    ifMatch: stored.etag,
    ...(stored.versionId !== undefined && { versionId: stored.versionId }),
  });
  const found = await collectBytes(body, header.byteLength);
  return found.equals(header) ? copied(store, state, stored) : undefined;
}

export function isGone(error: unknown): boolean {
  return error instanceof CustodyError && error.code === 'upload_gone';
}

function copied(store: Store, state: FinishedState, stored: Omit<Stored, 'bytes'>): Copied {
  const { plaintextBytes, plaintextSha256, bytes } = state.done;
  const object: SealedObject = {
    key: state.key,
    mode: store.mode,
    ...(stored.versionId !== undefined && { versionId: stored.versionId }),
    etag: stored.etag,
    bytes,
    plaintextBytes,
    ...(plaintextSha256 !== undefined && { plaintextSha256 }),
    parts: { bytes: state.partBytes, sha256: state.parts.map(({ sha256 }) => sha256) },
    // A bucket may encrypt what we sealed once more, by a key of its own, which opens no envelope.
    keyId: (store.mode === 'envelope' ? undefined : stored.kmsKeyId) ?? state.keyId,
  };
  // What the audio holds, which may be less than what was asked for.
  return { object, channels: state.wav.layout.channels === 2 ? 2 : 1 };
}
