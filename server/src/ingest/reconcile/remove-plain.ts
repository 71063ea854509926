import { createHash } from 'node:crypto';
import { CustodyError, errorCode, isSealedAtRest, type SealedObject } from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import { openEnvelope, type Store, type Stored } from '@flex-custody/vault';
import type { ImportedObject, RecordingRow } from '../../catalog/catalog.ts';
import { holdsOn } from '../../retention/decide.ts';
import type { IngestParts } from '../parts.ts';

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
  parts: IngestParts,
  plain: Store,
  key: string,
  row: RecordingRow,
  signal: AbortSignal,
): Promise<Stays | 'plain_deleted' | 'plain_refused' | 'plain_gone'> {
  const found = await plain.head(key);
  if (!found) return 'plain_gone';
  const object = { ...found, bucket: plain.bucket, key };
  const why = await mayRemovePlain(parts, row, object, plain, signal);
  if (why !== undefined) return why;
  try {
    if (row.state === 'erased') await removeVersions(plain, key);
    else await plain.delete(key, object.versionId);
  } catch (error) {
    // A lock there, or a right that is missing: the next one may go all the same.
    if (errorCode(error) !== 'store_denied') throw error;
    return 'plain_refused';
  }
  await parts.alarms.mended(['plain_kept'], row.recordingSid);
  parts.log.info({ event: 'plain.deleted', recording: row.recordingSid }, 'plain object deleted');
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
  parts: IngestParts,
  row: RecordingRow,
  object: PlainObject,
  plain: Store,
  signal: AbortSignal,
): Promise<Stays | undefined> {
  const policy = await parts.policies.inForce();
  if (holdsOn(policy, row, parts.callerDigest).length > 0) return 'plain_held';
  // What is erased has no copy any more, and is to be nowhere.
  if (row.state === 'erased') return row.erasedAt ? undefined : 'plain_unproven';
  const copy = row.object;
  if (row.state !== 'verified' || !copy) return 'plain_unproven';
  if (isCopyItself(object, copy, parts.store)) return 'plain_own';
  const other = isOther(object, copy, await parts.catalog.importedFrom(row.recordingSid));
  if (other === true) return 'plain_other';
  if (!(await parts.store.keepsVersions())) return 'plain_unversioned';
  if (!row.proof && (await isAtTwilio(parts, row))) return 'plain_unproven';
  if (!(await opensNow(parts, row, copy, signal))) return 'plain_unreadable_copy';
  if (other === false) return undefined;
  const seen = await sha256Of(plain, object, signal);
  return seen !== undefined && seen === copy.plaintextSha256 ? undefined : 'plain_differs';
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
  if (!noted || noted.sha256 !== copy.plaintextSha256) return undefined;
  return !(
    noted.bucket === object.bucket &&
    noted.key === object.key &&
    noted.versionId === object.versionId &&
    noted.etag === object.etag &&
    copy.plaintextBytes === object.bytes
  );
}

/** A recording of another account says nothing of ours: it counts as there. */
async function isAtTwilio({ twilio }: IngestParts, { recordingSid }: RecordingRow): Promise<boolean> {
  const facts = await twilio.recording(recordingSid);
  return facts !== undefined && !withoutMedia.has(facts.status);
}

/**
 * Opens header and last frame of the copy, as it is in the bucket now.
 * @throws CustodyError `key_*`, `envelope_wrong_key` where it is a matter of keys, and an alarm says so; `store_*`
 */
async function opensNow(
  { alarms, keys, store }: IngestParts,
  { accountSid, recordingSid }: RecordingRow,
  copy: SealedObject,
  signal: AbortSignal,
): Promise<boolean> {
  const pinned = { ifMatch: copy.etag, ...(copy.versionId !== undefined && { versionId: copy.versionId }) };
  try {
    if (copy.mode === 'sse-kms') {
      const found = await store.head(copy.key, copy.versionId);
      if (found?.etag === copy.etag && found.bytes === copy.bytes && isSealedAtRest(store, found))
        return true;
      throw new CustodyError('object_missing', 'the copy is not in the bucket as it was verified');
    }
    if (!keys) throw new CustodyError('key_invalid', 'no key is at hand that opens the copy');
    const reader = {
      expectedBytes: copy.bytes,
      read: (start: number, end: number, reading?: AbortSignal) =>
        store.get(copy.key, { start, end, ...pinned, ...(reading && { signal: reading }) }),
    };
    const opened = await openEnvelope(keys, reader, { account: accountSid, recording: recordingSid }, signal);
    if (opened.plaintextBytes === copy.plaintextBytes) return true;
    throw new CustodyError('object_mismatch', 'the copy has another length than was verified');
  } catch (error) {
    const code = errorCode(error);
    if (signal.aborted || code.startsWith('store_')) throw error;
    const isOfKeys = code.startsWith('key_') || code === 'envelope_wrong_key';
    await alarms.raise(
      'plain_kept',
      isOfKeys ? undefined : recordingSid,
      isOfKeys
        ? `plain objects stay: a copy cannot be opened (${code})`
        : `its plain object stays: the copy cannot be opened (${code})`,
    );
    if (isOfKeys) throw error;
    return false;
  }
}

/** Of the very version, read from its first byte to its last; undefined where it is there no more. */
async function sha256Of(
  plain: Store,
  { key, etag, versionId }: PlainObject,
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
