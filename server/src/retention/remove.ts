import { CustodyError, objectKey, type RecordingSid, sidecarKey } from '@flex-custody/core';
import type { Store } from '@flex-custody/vault';
import type { RecordingRow } from '../catalog/catalog.ts';

type Of = Pick<RecordingRow, 'accountSid' | 'recordingSid'>;

/** Everything that lies in the bucket of a recording: its object, its sidecar, every version, and markers of deletions. */
async function* versionsOf(store: Store, { accountSid, recordingSid }: Of) {
  const keys = [objectKey(accountSid, recordingSid), sidecarKey(accountSid, recordingSid)];
  for await (const version of store.versions(keys[0] ?? '')) if (keys.includes(version.key)) yield version;
}

/**
 * When the last lock on any of it ends; undefined where nothing is locked. A legal hold in the bucket has no end.
 * @throws CustodyError as the store does
 */
export async function lockedUntil(store: Store, of: Of): Promise<Date | 'legal-hold' | undefined> {
  let until: Date | undefined;
  for await (const { key, versionId, deleteMarker } of versionsOf(store, of)) {
    if (deleteMarker || versionId === undefined) continue;
    const lock = (await store.head(key, versionId))?.lock;
    if (lock?.legalHold) return 'legal-hold';
    if (lock?.until && lock.until.getTime() > Date.now() && (!until || lock.until > until))
      until = lock.until;
  }
  return until;
}

/**
 * Removes all that the bucket has of a recording, unfinished uploads included, and looks again.
 * @param onRemoved after each version that went
 * @throws CustodyError `erasure_incomplete` where something is there again, or as the store does
 */
export async function removeFromBucket(
  store: Store,
  of: Of,
  onRemoved: () => void | Promise<void> = () => undefined,
): Promise<void> {
  for await (const { key, uploadId } of store.unfinishedUploads(objectKey(of.accountSid, of.recordingSid)))
    await store.abortUpload(key, uploadId);
  const found: { key: string; versionId?: string }[] = [];
  for await (const version of versionsOf(store, of)) found.push(version);
  for (const { key, versionId } of found) {
    await store.delete(key, versionId);
    await onRemoved();
  }
  for await (const { key } of versionsOf(store, of)) throw incomplete(of.recordingSid, key);
}

function incomplete(sid: RecordingSid, key: string): CustodyError {
  return new CustodyError('erasure_incomplete', `of ${sid} there is something in the bucket again: ${key}`, {
    status: 503,
    retryable: true,
  });
}
