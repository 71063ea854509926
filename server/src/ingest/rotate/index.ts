import { asRecordingSid, CustodyError, errorCode } from '@flex-custody/core';
import { type Keys, renewObject } from '@flex-custody/vault';
import type { RecordingRow } from '../../catalog/catalog.ts';
import type { Run } from '../../runs/runs.ts';
import { describeJob } from '../describe-job.ts';
import type { IngestParts } from '../parts.ts';
import { readBack } from '../read-back.ts';
import { createTally, type Tally } from '../reconcile/tally.ts';
import { logStep } from '../steps.ts';
import { removeSurplus } from '../surplus.ts';

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
 * as it was and is counted by its reason; a second run takes up what is left.
 * @throws CustodyError `rotation_by_s3`, `rotation_unversioned`, `key_unknown`
 */
export async function rotateKeys(parts: IngestParts, run: Run): Promise<void> {
  const options = run.options as unknown as RotateOptions;
  const { catalog, store } = parts;
  const keys = sealing(parts, options);
  const tally = createTally(run.counts);
  const of = { newest: keys.keyId, ...(options.from !== undefined && { from: options.from }) };
  const total = (tally.counts['done'] ?? 0) + (await catalog.countSealedByOthers(of));
  if (!options.dryRun && total > 0 && !(await keepsVersions(parts))) {
    throw new CustodyError(
      'rotation_unversioned',
      `the bucket ${store.bucket} keeps no versions, and a process that dies between writing an object and noting it could lose track of it: enable versioning first`,
    );
  }
  let after = asRecordingSid(run.state?.['after']);
  for (;;) {
    run.signal.throwIfAborted();
    const rows = await catalog.sealedByOthers(of, after, pageRows);
    for (let at = 0; at < rows.length; at += atOnce) {
      run.signal.throwIfAborted();
      const some = rows.slice(at, at + atOnce);
      await Promise.all(some.map((row) => rotateOne(parts, keys, tally, row, options, run.signal)));
      after = some.at(-1)?.recordingSid;
      await run.save({ after }, tally.counts, total);
    }
    if (rows.length < pageRows) return;
  }
}

function sealing({ keys, store }: IngestParts, { from }: RotateOptions): Keys {
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

async function keepsVersions({ store }: IngestParts): Promise<boolean> {
  // A version that is asked for by name is one that is kept; what there is of the recordings tells.
  for await (const { versionId } of store.versions('recordings/'))
    return versionId !== undefined && versionId !== 'null';
  return true;
}

async function rotateOne(
  parts: IngestParts,
  keys: Keys,
  tally: Tally,
  row: RecordingRow,
  { dryRun, from, verify }: RotateOptions,
  signal: AbortSignal,
): Promise<void> {
  const { catalog, log, store } = parts;
  const { recordingSid: sid, object } = row;
  tally.count('done');
  if (!object) return;
  const isOld = from === undefined ? object.keyId !== keys.keyId : object.keyId === from;
  if (dryRun) return tally.count(isOld ? 'recordings' : 'sidecars');
  try {
    if (isOld) {
      const context = { account: row.accountSid, recording: sid };
      const renewed = await renewObject({ object, context, keys, store, signal });
      if (verify) await readBack(parts, row, renewed, signal);
      if (!(await catalog.renewed(sid, object, renewed))) {
        // Copied anew, or erased, meanwhile: what we wrote is nobody's.
        if (renewed.versionId !== undefined) await store.delete(renewed.key, renewed.versionId);
        return tally.count('changed_meanwhile');
      }
      logStep(log, 'renewed', sid, { bytes: renewed.bytes });
      tally.count('recordings');
      const { left } = await removeSurplus(parts, { recordingSid: sid, object: renewed });
      if (left > 0) tally.count('old_versions_left');
    }
    if (row.state === 'verified') {
      await describeJob(parts, sid);
      tally.count('sidecars');
    }
  } catch (error) {
    signal.throwIfAborted();
    tally.count(`failed_${errorCode(error)}`);
    log.warn({ recording: sid, code: errorCode(error) }, 'its key could not be rotated');
  }
}
