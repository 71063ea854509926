import { createHash } from 'node:crypto';
import { errorCode, errorOf, type SealedObject } from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import type { Store, Stored } from '@flex-custody/vault';
import type { ImportedObject, RecordingRow } from '../../../catalog/recording-row.ts';
import { holdsOn } from '../../../retention/decide.ts';
import { isOfKeys, mayDestroy } from '../../../retention/may-destroy.ts';
import type { IngestDeps } from '../../deps.ts';

/** States in which Twilio has no media, and will never have any. */
export const withoutMedia: ReadonlySet<TwilioRecording['status']> = new Set(['absent', 'deleted', 'failed']);

/** The current version of an unencrypted object. */
interface PlainObject extends Stored {
  bucket: string;
  key: string;
}

/** Why a plain object stays, by the name of its count. */
type Stays =
  | 'plain_own'
  | 'plain_held'
  | 'plain_unversioned'
  | 'plain_unproven'
  | 'plain_unreadable_copy'
  | 'plain_other'
  | 'plain_differs';

/**
 * Removes one plain object, by its version if its bucket has versions, because a delete marker would leave it readable.
 * Of an erased recording it removes all versions under this key; otherwise only the version that {@link mayRemovePlain}
 * has checked.
 * @returns the result, by the name of its count
 * @throws CustodyError `key_*` if no key opens the copy: then nothing more may be removed; otherwise as Twilio and the
 * bucket do
 */
export async function removePlain(
  deps: IngestDeps,
  plain: Store,
  key: string,
  row: RecordingRow,
  signal: AbortSignal,
): Promise<Stays | 'plain_deleted' | 'plain_refused' | 'plain_gone'> {
  const found = await plain.head(key);
  if (!found) return 'plain_gone';
  const object = { ...found, bucket: plain.bucket, key };
  const why = await mayRemovePlain(deps, row, object, plain, signal);
  if (why !== undefined) return why;
  try {
    if (row.state === 'erased') await removeVersions(plain, key);
    else await plain.delete(key, object.versionId);
  } catch (error) {
    // The object is locked, or a right is missing: the next one may still be removable.
    if (errorCode(error) !== 'store_denied') throw error;
    return 'plain_refused';
  }
  await deps.alarms.resolve(['plain_kept'], row.recordingSid);
  deps.log.info({ event: 'plain.deleted', recording: row.recordingSid }, 'plain object deleted');
  return 'plain_deleted';
}

async function removeVersions(plain: Store, key: string): Promise<void> {
  const found: (string | undefined)[] = [];
  for await (const version of plain.versions(key)) if (version.key === key) found.push(version.versionId);
  for (const versionId of found) await plain.delete(key, versionId);
}

/**
 * Checks, immediately before the removal, that the recording has no hold and a proven copy (or a verified one, if Twilio
 * has no such recording), that the host's keys open the copy now, that its bucket keeps versions, and that this object
 * has the same audio.
 * @returns why it stays; undefined if it may be removed
 */
async function mayRemovePlain(
  deps: IngestDeps,
  row: RecordingRow,
  object: PlainObject,
  plain: Store,
  signal: AbortSignal,
): Promise<Stays | undefined> {
  if (row.state === 'erased') {
    // The recording is erased and has no copy, so no object of it may stay.
    const policy = await deps.policies.inForce();
    if (holdsOn(policy, row, deps.callerDigest).length > 0) return 'plain_held';
    return row.erasedAt ? undefined : 'plain_unproven';
  }
  const copy = row.object;
  if (row.state !== 'verified' || !copy) return 'plain_unproven';
  if (isCopyItself(object, copy, deps.store)) return 'plain_own';
  const noted = await deps.catalog.importedFrom(row.recordingSid);
  const other = isOther(object, copy, noted);
  if (other === true) return 'plain_other';
  const fault = await faultOf(deps, row);
  if (fault) return fault;
  if (other === false && noted?.repairedSha256 === undefined) return undefined;
  const seen = await sha256Of(plain, object, signal);
  // A copy with a corrected header has other bytes than its object, so the object's own digest was noted.
  const due = other === false ? noted?.sha256 : copy.plaintextSha256;
  return seen !== undefined && seen === due ? undefined : 'plain_differs';
}

/** Whether the object is the copy itself, even under another name of the bucket: in mode sse-kms the copy has the same bytes. */
const isCopyItself = ({ bucket, key, etag }: PlainObject, copy: SealedObject, store: Store): boolean =>
  key === copy.key && (bucket === store.bucket || etag === copy.etag);

/**
 * Whether the copy was made from another object; undefined if no object was noted for the copy, so that the bytes must be
 * compared.
 */
function isOther(
  object: PlainObject,
  copy: SealedObject,
  noted: ImportedObject | undefined,
): boolean | undefined {
  // If a recording was imported and later copied from Twilio, the noted bytes are not those of the copy.
  if (!noted || (noted.repairedSha256 ?? noted.sha256) !== copy.plaintextSha256) return undefined;
  return !(
    noted.bucket === object.bucket &&
    noted.key === object.key &&
    noted.versionId === object.versionId &&
    noted.etag === object.etag &&
    copy.plaintextBytes === object.bytes
  );
}

/** If Twilio answers with another account's recording, the recording counts as existing at Twilio. */
async function isAtTwilio({ twilio }: IngestDeps, { recordingSid }: RecordingRow): Promise<boolean> {
  const facts = await twilio.recording(recordingSid);
  return facts !== undefined && !withoutMedia.has(facts.status);
}

/**
 * A reason to keep the object that does not depend on the object itself.
 * @throws CustodyError `key_*`, `envelope_wrong_key` for faults of the keys, `clock_differs`: then nothing more may be
 * removed
 */
async function faultOf(deps: IngestDeps, row: RecordingRow): Promise<Stays | undefined> {
  const isNowhereElse = !row.proof && !(await isAtTwilio(deps, row));
  const verdict = await mayDestroy(deps, row, 'plain', { isNowhereElse });
  if (verdict.may) return undefined;
  const { why, detail } = verdict;
  const said = refusals[why];
  if (said) return said;
  const concernsAll = isOfKeys(why) || why === 'clock_differs';
  const about = concernsAll ? 'plain objects stay' : 'its plain object stays';
  await deps.alarms.raise('plain_kept', concernsAll ? undefined : row.recordingSid, `${about}: ${detail}`);
  if (concernsAll) throw errorOf(why, detail);
  return 'plain_unreadable_copy';
}

const refusals: Readonly<Record<string, Stays>> = {
  held: 'plain_held',
  locked: 'plain_held',
  being_erased: 'plain_unproven',
  not_proven: 'plain_unproven',
  recording_unknown: 'plain_unproven',
  unversioned: 'plain_unversioned',
};

/** The SHA-256 of one version, read from its first byte to its last; undefined if it no longer exists. */
export async function sha256Of(
  plain: Store,
  { key, etag, versionId }: Pick<PlainObject, 'key' | 'etag' | 'versionId'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    const { body } = await plain.get(key, {
      ifMatch: etag,
      signal,
      ...(versionId !== undefined && { versionId }),
    });
    for await (const chunk of body) hash.update(chunk as Buffer);
  } catch (error) {
    if (errorCode(error).startsWith('object_')) return undefined;
    throw error;
  }
  return hash.digest('hex');
}
