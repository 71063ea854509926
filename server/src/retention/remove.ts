import { CustodyError, objectKey, type RecordingSid, sidecarKey } from '@flex-custody/core';
import type { Store } from '@flex-custody/vault';
import type { RecordingRow } from '../catalog/recording-row.ts';

type Of = Pick<RecordingRow, 'accountSid' | 'recordingSid'>;

/** Everything that the bucket has of a recording: its object, its sidecar, every version, and delete markers. */
export async function* versionsOf(store: Store, { accountSid, recordingSid }: Of) {
  const keys = [objectKey(accountSid, recordingSid), sidecarKey(accountSid, recordingSid)];
  for await (const version of store.versions(keys[0] ?? '')) if (keys.includes(version.key)) yield version;
}

/**
 * S3's lock on a recording's objects. A legal hold has no end; `unknown`: the host may not read locks, so the recording
 * counts as locked.
 */
export type Locked = Date | 'legal-hold' | 'unknown';

/**
 * When the last lock on any of its versions ends; undefined if none is locked. Every version is checked, because an older
 * one may be locked when the newest is not.
 * @throws CustodyError as the store does
 */
export async function lockedUntil(store: Store, of: Of): Promise<Locked | undefined> {
  let locked: Date | 'unknown' | undefined;
  for await (const { key, versionId, deleteMarker } of versionsOf(store, of)) {
    if (deleteMarker) continue;
    const lock = await store.lockOf(key, versionId);
    if (lock === 'unknown') locked = 'unknown';
    else if (lock?.legalHold) return 'legal-hold';
    else if (lock?.until && lock.until.getTime() > Date.now() && locked !== 'unknown')
      locked = !locked || lock.until > locked ? lock.until : locked;
  }
  return locked;
}

/** The lock as text for operators. */
export function sayLocked(locked: Locked): string {
  if (locked === 'legal-hold') return 'under a legal hold in the bucket';
  if (locked === 'unknown')
    return 'the host may not read locks in the bucket: allow s3:GetObjectRetention and s3:GetObjectLegalHold (docs/deploy.md)';
  return `locked until ${locked.toISOString()}`;
}

/**
 * Removes all that the bucket has of a recording, unfinished uploads included, and lists it again.
 * @param onRemoved called after each removed version
 * @throws CustodyError `erasure_incomplete` if the bucket has something of it again, or as the store does
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
  // A list of objects may omit what a list of versions has, so an object without versions is requested by its key.
  for (const { key, versionId } of found)
    if (versionId === undefined && (await store.head(key))) throw incomplete(of.recordingSid, key);
}

/** What a bucket without version ids states about versions: `none` are kept, or `unknown`. */
export type KeptVersions = 'none' | 'unknown';

/**
 * Whether the bucket of removed objects, or of objects to remove, keeps versions.
 * @returns undefined if each has a version id
 * @throws CustodyError as the store does
 */
export async function keptVersionsOf(
  store: Store,
  versions: readonly { versionId?: string }[],
): Promise<KeptVersions | undefined> {
  if (versions.every(({ versionId }) => versionId !== undefined)) return undefined;
  const answer = await store.versioning();
  return 'value' in answer && answer.value === 'never' ? 'none' : 'unknown';
}

function incomplete(sid: RecordingSid, key: string): CustodyError {
  return new CustodyError('erasure_incomplete', `the bucket has something of ${sid} again: ${key}`);
}
