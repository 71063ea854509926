import {
  CustodyError,
  errorCode,
  isRetryable,
  type RecordingSid,
  type Sidecar,
  sidecarKey,
} from '@flex-custody/core';
import { type Keys, sealBytes } from '@flex-custody/vault';
import type { RecordingRow, StoredSidecar } from '../../catalog/recording-row.ts';
import { openSidecar, sidecarOf, signedSidecar } from '../../catalog/sidecars.ts';
import type { DeadJob, OfRecording } from '../../queue/job.ts';
import type { IngestDeps } from '../deps.ts';
import { ownFaults } from '../failures.ts';
import { removeSurplus } from '../intake/surplus.ts';
import { ingestJobs } from '../jobs.ts';
import { reanalyse } from './read-back.ts';

/** Between two tries of what only an operator can put right. */
const settingMs = 60 * 60_000;

type Deps = Pick<
  IngestDeps,
  'alarms' | 'catalog' | 'config' | 'keys' | 'log' | 'queue' | 'signing' | 'store'
>;

/**
 * Writes what is known of a verified recording beside it, signed, sealed as it is, and removes what was written there before.
 * @param heard in it just now; else it is what the earlier sidecar says, or the recording is heard again
 * @throws CustodyError as store and keys do
 */
export async function describeJob(deps: Deps, sid: RecordingSid, heard?: Sidecar['analysis']): Promise<void> {
  const row = await deps.catalog.find(sid);
  if (row?.state !== 'verified') return;
  // Whoever verified it may have been killed before what other writers had left was removed.
  const surplus = row.leases > 1 ? await removeSurplus(deps, row) : undefined;
  await describeRow(deps, row, heard);
  if (surplus?.again) {
    throw new CustodyError('store_unavailable', 'what other writers left of it could not be removed now');
  }
}

/** The same, of a row that was read or written just now. */
export async function describeRow(deps: Deps, row: RecordingRow, heard?: Sidecar['analysis']): Promise<void> {
  if (!row.object) return;
  const { alarms, catalog, config, keys, log, queue, store } = deps;
  const sid = row.recordingSid;
  const sealing = keys && sealingOf(keys, row);
  if (keys && !sealing) {
    log.info({ recording: sid }, 'its key is gone: its sidecar stays as it is, and is lost with it');
    return;
  }
  // Null says something: that nothing can be said.
  const analysis = heard === undefined ? await analysisOf(deps, row, row.object) : heard;
  const text = Buffer.from(await signedSidecar(deps, sidecarOf(row, row.object, analysis)));
  const context = { account: row.accountSid, recording: sid };
  const bytes = store.mode === 'envelope' && sealing ? await sealBytes(sealing, context, text) : text;
  const key = sidecarKey(row.accountSid, sid);
  const { versionId, etag } = await store.putBytes(key, bytes);
  const now: StoredSidecar = {
    key,
    ...(versionId !== undefined && { versionId }),
    etag,
    ...(sealing && { keyId: sealing.keyId }),
    signedBy: deps.signing.keyId,
  };
  if (await catalog.described(sid, row.sidecar, now)) {
    await remove(deps, row.sidecar);
    await alarms.resolve(['describe_failed', 'sidecar_unreadable'], sid);
    if (config.insightsMeasures.length > 0 && row.taskSid && analysis?.talk)
      await queue.send(ingestJobs.measure, { taskSid: row.taskSid });
    return;
  }
  // Two wrote at once, and ours may know less: whoever is left writes again.
  await remove(deps, now);
  log.info({ recording: sid }, 'its sidecar was written by another at the same time');
  await queue.send(ingestJobs.describe, { recordingSid: sid }, { startAfterMs: 1_000 });
}

/** The same, left to a job where it cannot be done now: a recording is what it is, whether or not it is described. */
export async function describeOrLater(
  deps: Deps,
  row: RecordingRow,
  heard?: Sidecar['analysis'],
): Promise<void> {
  const sid = row.recordingSid;
  try {
    await describeRow(deps, row, heard);
  } catch (error) {
    deps.log.warn({ recording: sid, code: errorCode(error) }, 'its sidecar is left to a job');
    await deps.queue.send(ingestJobs.describe, { recordingSid: sid });
  }
}

/**
 * The recording is none the worse for a sidecar that could not be written, and the janitor asks again. A setting is not right a
 * minute later: a job that waits for an hour keeps the janitor from sending one by the minute.
 */
export async function describeDead(
  { alarms, queue }: Pick<Deps, 'alarms' | 'queue'>,
  { data, error: { code, retryable } }: DeadJob<OfRecording>,
): Promise<void> {
  await alarms.raise('describe_failed', data.recordingSid, code);
  if (!retryable && ownFaults.has(code))
    await queue.send(ingestJobs.describe, data, { startAfterMs: settingMs });
}

/**
 * By the recording's own key, so that whatever becomes of that becomes of both: where the key was destroyed on purpose, no
 * other one may say again what went with it.
 */
function sealingOf(keys: Keys, { object, sidecar }: RecordingRow): Keys | undefined {
  const before = sidecar?.keyId;
  return keys.sealingBy(object?.keyId ?? '') ?? (before === undefined ? keys : keys.sealingBy(before));
}

async function analysisOf(
  deps: Deps,
  row: RecordingRow,
  object: NonNullable<RecordingRow['object']>,
): Promise<Sidecar['analysis']> {
  if (row.sidecar) {
    try {
      const { analysis } = (await openSidecar(deps, row.recordingSid, row.sidecar)).sidecar;
      if (analysis !== undefined) return analysis;
    } catch (error) {
      if (isRetryable(error)) throw error;
      deps.log.warn(
        { recording: row.recordingSid, code: errorCode(error) },
        'an earlier sidecar cannot be read',
      );
    }
  }
  return reanalyse(deps, row, object);
}

/** On a bucket without versions what was written before is gone already. */
async function remove({ store, log }: Deps, sidecar: StoredSidecar | undefined): Promise<void> {
  if (sidecar?.versionId === undefined) return;
  try {
    await store.delete(sidecar.key, sidecar.versionId);
  } catch {
    log.warn({ key: sidecar.key }, 'an earlier version of a sidecar could not be removed');
  }
}
