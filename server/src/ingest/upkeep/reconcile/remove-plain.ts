import { createHash } from 'node:crypto';
import { errorCode, errorOf, type SealedObject } from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import type { Store, Stored } from '@flex-custody/vault';
import type { ImportedObject, RecordingRow } from '../../../catalog/recording-row.ts';
import { holdsOn } from '../../../retention/decide.ts';
import { isOfKeys, mayDestroy } from '../../../retention/may-destroy.ts';
import type { IngestDeps } from '../../deps.ts';

/** Of these Twilio has no media, and will have none. */
export const withoutMedia: ReadonlySet<TwilioRecording['status']> = new Set(['absent', 'deleted', 'failed']);

/** The current version of an object that lies there in plain. */
interface PlainObject extends Stored {
  bucket: string;
  key: string;
}

/** Why a plain object stays, as it is counted. */
type Stays =
  | 'plain_own'
  | 'plain_held'
  | 'plain_unversioned'
  | 'plain_unproven'
  | 'plain_unreadable_copy'
  | 'plain_other'
  | 'plain_differs';

/**
 * Removes one plain object, by its version where its bucket has versions: a marker in front of it would leave it readable.
 * Of an erased recording all versions under this key go; of any other the very one that {@link mayRemovePlain} was asked about.
 * @returns what became of it, to be counted
 * @throws CustodyError `key_*` where no key opens the copy: nothing more may go then; else as Twilio and the bucket do
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
    // A lock there, or a right that is missing: the next one may go all the same.
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
 * Asked immediately before it goes: no hold, a copy that is proven (or verified, where Twilio has no such recording) and
 * that the keys at hand open now, in a bucket that keeps versions, and that this very object holds nothing else.
 * @returns why it stays; undefined where it may go
 */
async function mayRemovePlain(
  deps: IngestDeps,
  row: RecordingRow,
  object: PlainObject,
  plain: Store,
  signal: AbortSignal,
): Promise<Stays | undefined> {
  if (row.state === 'erased') {
    // It has no copy any more, and is to be nowhere.
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
  // A copy whose header was put right has other bytes than its object, whose own digest was noted.
  const due = other === false ? noted?.sha256 : copy.plaintextSha256;
  return seen !== undefined && seen === due ? undefined : 'plain_differs';
}

/** Also under another name of the same bucket: in mode sse-kms the copy holds the very bytes that are compared. */
const isCopyItself = ({ bucket, key, etag }: PlainObject, copy: SealedObject, store: Store): boolean =>
  key === copy.key && (bucket === store.bucket || etag === copy.etag);

/**
 * Whether it is another object than the one that the copy was made of; undefined where the copy was made of none that was
 * noted, and the bytes have to tell.
 */
function isOther(
  object: PlainObject,
  copy: SealedObject,
  noted: ImportedObject | undefined,
): boolean | undefined {
  // What was imported first and copied from Twilio since has a note of bytes that are not in the copy.
  if (!noted || (noted.repairedSha256 ?? noted.sha256) !== copy.plaintextSha256) return undefined;
  return !(
    noted.bucket === object.bucket &&
    noted.key === object.key &&
    noted.versionId === object.versionId &&
    noted.etag === object.etag &&
    copy.plaintextBytes === object.bytes
  );
}

/** A recording of another account says nothing of ours: it counts as there. */
async function isAtTwilio({ twilio }: IngestDeps, { recordingSid }: RecordingRow): Promise<boolean> {
  const facts = await twilio.recording(recordingSid);
  return facts !== undefined && !withoutMedia.has(facts.status);
}

/**
 * What speaks against it that has nothing to do with this very object.
 * @throws CustodyError `key_*`, `envelope_wrong_key` where it is a matter of keys, `clock_differs`: nothing more may go then
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

/** Of the very version, read from its first byte to its last; undefined where it is there no more. */
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
