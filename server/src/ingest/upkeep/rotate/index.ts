import { asRecordingSid, CustodyError, errorCode, type RecordingSid } from '@flex-custody/core';
import { isVersionOfItsOwn, type Keys, renewObject, type Store } from '@flex-custody/vault';
import type { RecordingRow } from '../../../catalog/recording-row.ts';
import type { Run } from '../../../runs/runs.ts';
import type { IngestDeps } from '../../deps.ts';
import { removeSurplus } from '../../intake/surplus.ts';
import { logStep } from '../../log-step.ts';
import { describeJob } from '../../verify/describe-job.ts';
import { readBack } from '../../verify/read-back.ts';
import { createTally, type Tally } from '../reconcile/tally.ts';

export interface RotateOptions {
  /** Only what this key has wrapped; else whatever the newest has not. */
  from?: string;
  /** Read each renewed recording back as a whole, before its old version goes. */
  verify?: boolean;
  dryRun?: boolean;
}

const pageRows = 200;
const atOnce = 4;

/**
 * Wraps the data keys of sealed recordings anew, by the newest key alone, and has their sidecars follow. What fails stays
 * as it was and is counted by its reason; a second run takes up what is left, earlier versions included.
 * @throws CustodyError `rotation_by_s3`, `rotation_unversioned`, `key_unknown`
 */
export async function rotateKeys(deps: IngestDeps, run: Run): Promise<void> {
  const options = run.options as unknown as RotateOptions;
  const { catalog, store } = deps;
  const keys = sealing(deps, options);
  const tally = createTally(run);
  const of = { newest: keys.keyId, ...(options.from !== undefined && { from: options.from }) };
  const total = (tally.counts['done'] ?? 0) + (await catalog.countSealedByOthers(of));
  await refuseUnknown(deps, keys, options);
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

function sealing({ keys, store }: IngestDeps, { from }: RotateOptions): Keys {
  if (store.mode === 'sse-kms' || !keys) {
    throw new CustodyError(
      'rotation_by_s3',
      'S3 seals here, and rotates its own keys: there is nothing to do',
    );
  }
  if (from !== undefined && from === keys.keyId) {
    throw new CustodyError(
      'key_unknown',
      `${from} is the newest key: put the new one above it in the key file first`,
    );
  }
  return keys;
}

/** A name that is mistyped would else look like a rotation with nothing to do. */
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
    `${why}, and a process that dies between writing an object and noting it could lose track of it: enable versioning first`,
  );

/** By what the bucket says of itself now; a store that knows no such question is judged by what it lists. */
async function refuseUnversioned(store: Store): Promise<void> {
  const { bucket } = store;
  const told = await store.versioning();
  if ('value' in told) {
    if (told.value === 'enabled') return;
    throw unversioned(
      told.value === 'suspended'
        ? `versioning of the bucket ${bucket} is suspended`
        : `the bucket ${bucket} keeps no versions`,
    );
  }
  if (told.unavailable === 'denied')
    throw new CustodyError(
      'rotation_unversioned',
      `whether the bucket ${bucket} keeps versions may not be asked: allow s3:GetBucketVersioning (docs/deploy.md)`,
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
      // It has taken the old one's place, which is gone: it is noted whatever else is so, and nothing more is renewed.
      if (!isBeside) {
        await catalog.renewed(sid, object, renewed);
        throw unversioned(`the bucket ${store.bucket} has stored ${object.key} without a version of its own`);
      }
      if (verify) await readBack(deps, row, renewed, signal);
      if (!(await catalog.renewed(sid, object, renewed))) {
        // Copied anew, or erased, meanwhile: what we wrote is nobody's.
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
    log.warn({ recording: sid, code: errorCode(error) }, 'its key could not be rotated');
  }
}

/**
 * Counts the recordings of which earlier versions are left, which older keys would still open, after one more try: a lock
 * has ended since an earlier run, a right was given, or that run was killed. What is not verified keeps them.
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

/** Recordings of whose object there is more than one version or marker. */
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
