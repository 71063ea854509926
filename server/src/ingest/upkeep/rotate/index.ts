import { asRecordingSid, CustodyError, errorCode, type RecordingSid } from '@flex-custody/core';
import { isVersionOfItsOwn, type Keys, renewObject, type Store } from '@flex-custody/vault';
import type { RecordingRow } from '../../../catalog/recording-row.ts';
import type { Run } from '../../../runs/runs.ts';
import type { Resealed } from '../../../secrets/reseal.ts';
import type { IngestDeps } from '../../deps.ts';
import { removeSurplus } from '../../intake/surplus.ts';
import { logStep } from '../../log-step.ts';
import { describeJob } from '../../verify/describe-job.ts';
import { readBack } from '../../verify/read-back.ts';
import { createTally, type Tally } from '../reconcile/tally.ts';

export interface RotateOptions {
  /** Renews only recordings under this key; absent: all that are not under the newest key. */
  from?: string;
  /** Verifies each renewed recording completely before its old version is removed. */
  verify?: boolean;
  dryRun?: boolean;
}

const pageRows = 200;
const atOnce = 4;

/**
 * Encrypts the data keys of recordings again, under the newest key only, and renews their sidecars and the stored secrets. What
 * fails stays as it was and is counted by its reason; a second run renews what is left, and removes earlier versions.
 * @throws CustodyError `rotation_by_s3`, `rotation_unversioned`, `key_unknown`
 */
export async function rotateKeys(deps: IngestDeps, run: Run): Promise<void> {
  const options = run.options as unknown as RotateOptions;
  const { catalog, store } = deps;
  const tally = createTally(run);
  const keys = sealing(deps, options);
  const secrets = await deps.resealSecrets(options, run.signal);
  countSecrets(deps, tally, secrets, options);
  const hasSecrets = secrets.resealed.length + secrets.failed.length > 0;
  if (!keys) {
    if (!hasSecrets)
      throw new CustodyError(
        'rotation_by_s3',
        'S3 encrypts the recordings of this host and rotates its own keys, and no secret is under an older key: there is nothing to do',
      );
    return run.save({}, tally.counts);
  }
  const of = { newest: keys.keyId, ...(options.from !== undefined && { from: options.from }) };
  const total = (tally.counts['done'] ?? 0) + (await catalog.countSealedByOthers(of));
  if (!hasSecrets) await refuseUnknown(deps, keys, options);
  if (!options.dryRun && total > 0) await refuseUnversioned(store);
  let after = asRecordingSid(run.state?.['after']);
  for (;;) {
    run.signal.throwIfAborted();
    const rows = await catalog.sealedByOthers(of, after, pageRows);
    for (let at = 0; at < rows.length; at += atOnce) {
      run.signal.throwIfAborted();
      const some = rows.slice(at, at + atOnce);
      const ended = await Promise.allSettled(
        some.map((row) => rotateOne(deps, keys, tally, row, options, run.signal)),
      );
      for (const one of ended) if (one.status === 'rejected') throw one.reason;
      after = some.at(-1)?.recordingSid;
      await run.save({ after }, tally.counts, total);
    }
    if (rows.length < pageRows) break;
  }
  if (!options.dryRun) await removeWhatWasLeft(deps, keys, tally, run.signal);
  await run.save({ after }, tally.counts, total);
}

/** A run that continues another one looks at all secrets again: only those that were sealed again are no longer found. */
function countSecrets(
  { log }: IngestDeps,
  { counts }: Tally,
  { resealed, failed }: Resealed,
  { dryRun }: RotateOptions,
): void {
  const secrets = resealed.length + (dryRun ? 0 : (counts['secrets'] ?? 0));
  if (secrets > 0) counts['secrets'] = secrets;
  if (failed.length > 0) counts['failed_secrets'] = failed.length;
  else delete counts['failed_secrets'];
  for (const { name, code } of failed) {
    log.warn({ name, code }, 'a stored secret could not be sealed under the newest key');
  }
}

/** Undefined if S3 encrypts the recordings. */
function sealing({ keys, store }: IngestDeps, { from }: RotateOptions): Keys | undefined {
  if (store.mode === 'sse-kms' || !keys) return undefined;
  if (from !== undefined && from === keys.keyId) {
    throw new CustodyError(
      'key_unknown',
      `${from} is the newest key: put the new one above it in the key file first`,
    );
  }
  return keys;
}

/** A mistyped name would look like a rotation with nothing to do. */
async function refuseUnknown({ catalog }: IngestDeps, keys: Keys, { from }: RotateOptions): Promise<void> {
  if (from === undefined || keys.keyIds.includes(from)) return;
  if ((await catalog.countSealedByOthers({ newest: keys.keyId, from })) > 0) return;
  throw new CustodyError(
    'key_unknown',
    `no recording is encrypted under ${from}, and this host has no such key`,
  );
}

const unversioned = (why: string): CustodyError =>
  new CustodyError(
    'rotation_unversioned',
    `${why}, so a process that dies between writing an object and noting it could lose the object: enable versioning first`,
  );

/** Asks the bucket whether it keeps versions now; a store without that request is judged by its list of versions. */
async function refuseUnversioned(store: Store): Promise<void> {
  const { bucket } = store;
  const answer = await store.versioning();
  if ('value' in answer) {
    if (answer.value === 'enabled') return;
    throw unversioned(
      answer.value === 'suspended'
        ? `versioning of the bucket ${bucket} is suspended`
        : `the bucket ${bucket} keeps no versions`,
    );
  }
  if (answer.unavailable === 'denied')
    throw new CustodyError(
      'rotation_unversioned',
      `the host may not ask whether the bucket ${bucket} keeps versions: allow s3:GetBucketVersioning (docs/deploy.md)`,
    );
  for await (const { versionId } of store.versions('recordings/')) {
    if (versionId === undefined || versionId === 'null')
      throw unversioned(`the bucket ${bucket} keeps no versions`);
    return;
  }
}

async function rotateOne(
  deps: IngestDeps,
  keys: Keys,
  tally: Tally,
  row: RecordingRow,
  { dryRun, from, verify }: RotateOptions,
  signal: AbortSignal,
): Promise<void> {
  const { catalog, log, store } = deps;
  const { recordingSid: sid, object } = row;
  tally.count('done');
  if (!object) return;
  const isOld = from === undefined ? object.keyId !== keys.keyId : object.keyId === from;
  if (dryRun) return tally.count(isOld ? 'recordings' : 'sidecars');
  try {
    if (isOld) {
      const context = { account: row.accountSid, recording: sid };
      const renewed = await renewObject({ object, context, keys, store, signal });
      const isBeside = isVersionOfItsOwn(renewed, object);
      // The new object has overwritten the old one, so it is noted in any case, and the run stops.
      if (!isBeside) {
        await catalog.renewed(sid, object, renewed);
        throw unversioned(`the bucket ${store.bucket} has stored ${object.key} without a version of its own`);
      }
      if (verify) await readBack(deps, row, renewed, signal);
      if (!(await catalog.renewed(sid, object, renewed))) {
        // The recording was copied again or erased meanwhile, so the renewed version is surplus.
        await store.delete(renewed.key, renewed.versionId);
        return tally.count('changed_meanwhile');
      }
      logStep(log, 'renewed', sid, { bytes: renewed.bytes });
      tally.count('recordings');
      await removeSurplus(deps, { recordingSid: sid, object: renewed });
    }
    if (row.state === 'verified') {
      await describeJob(deps, sid);
      tally.count('sidecars');
    }
  } catch (error) {
    signal.throwIfAborted();
    if (errorCode(error) === 'rotation_unversioned') throw error;
    tally.count(`failed_${errorCode(error)}`);
    log.warn({ recording: sid, code: errorCode(error) }, 'the key of a recording could not be rotated');
  }
}

/**
 * Removes earlier versions, which older keys still open, and counts the recordings of which some are left: since an
 * earlier run a lock may have ended, a right may have been granted, or that run was killed. An unverified recording keeps
 * them.
 */
async function removeWhatWasLeft(
  deps: IngestDeps,
  keys: Keys,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  for await (const sid of withOlderVersions(deps.store)) {
    signal.throwIfAborted();
    const row = await deps.catalog.find(sid);
    if (row?.object?.keyId !== keys.keyId) continue;
    if (row.state !== 'verified') {
      tally.count('old_versions_left');
      continue;
    }
    const { removed, left } = await removeSurplus(deps, row);
    if (removed > 0) tally.count('old_versions_removed');
    if (left > 0) tally.count('old_versions_left');
  }
}

/** Recordings whose object has more than one version or delete marker. */
async function* withOlderVersions(store: Store): AsyncIterable<RecordingSid> {
  let before = '';
  let given = '';
  for await (const { key } of store.versions('recordings/')) {
    const sid = asRecordingSid(key.split('/').at(-1));
    if (sid && key === before && key !== given) {
      given = key;
      yield sid;
    }
    before = key;
  }
}
