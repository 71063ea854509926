import { CustodyError, objectKey, type RecordingSid, sidecarKey } from '@flex-custody/core';
import type { Store } from '@flex-custody/vault';
import type { RecordingRow } from '../catalog/recording-row.ts';

type Of = Pick<RecordingRow, 'accountSid' | 'recordingSid'>;

/** Everything that lies in the bucket of a recording: its object, its sidecar, every version, and markers of deletions. */
export async function* versionsOf(store: Store, { accountSid, recordingSid }: Of) {
  const keys = [objectKey(accountSid, recordingSid), sidecarKey(accountSid, recordingSid)];
  for await (const version of store.versions(keys[0] ?? '')) if (keys.includes(version.key)) yield version;
}

/** What keeps a recording in the bucket. A legal hold has no end; `unknown`: nobody may ask, so it counts as locked. */
export type Locked = Date | 'legal-hold' | 'unknown';

/**
 * When the last lock on any version of it ends; undefined where nothing is locked. Each version is asked about by itself:
 * an older one may be held where the newest is not.
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

/** For who asked why it stays. */
export function sayLocked(locked: Locked): string {
  if (locked === 'legal-hold') return 'under a legal hold in the bucket';
  if (locked === 'unknown')
    return 'locks in the bucket cannot be asked about: allow s3:GetObjectRetention and s3:GetObjectLegalHold (docs/deploy.md)';
  return `locked until ${locked.toISOString()}`;
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
  // A list of objects says less than one of versions: what went without a version is asked for by its name.
  for (const { key, versionId } of found)
    if (versionId === undefined && (await store.head(key))) throw incomplete(of.recordingSid, key);
}

/** What a bucket without version ids says of versions: `none` are kept, or that it does not know the question. */
export type KeptVersions = 'none' | 'unknown';

/**
 * Of what went, or is to go.
 * @returns undefined where each has a version
 * @throws CustodyError as the store does
 */
export async function keptVersionsOf(
  store: Store,
  versions: readonly { versionId?: string }[],
): Promise<KeptVersions | undefined> {
  if (versions.every(({ versionId }) => versionId !== undefined)) return undefined;
  const told = await store.versioning();
  return 'value' in told && told.value === 'never' ? 'none' : 'unknown';
}

function incomplete(sid: RecordingSid, key: string): CustodyError {
  return new CustodyError('erasure_incomplete', `of ${sid} there is something in the bucket again: ${key}`);
}
