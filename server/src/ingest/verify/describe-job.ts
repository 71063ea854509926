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

/** Ms between two tries if only an operator can correct the fault. */
const settingMs = 60 * 60_000;

type Deps = Pick<
  IngestDeps,
  'alarms' | 'catalog' | 'config' | 'keys' | 'log' | 'queue' | 'signing' | 'store'
>;

/**
 * Writes the sidecar of a verified recording, signed and sealed like the recording, and removes the earlier sidecar.
 * @param known its analysis, if just made; otherwise it comes from the earlier sidecar, or the recording is analysed
 * again
 * @throws CustodyError as store and keys do
 */
export async function describeJob(deps: Deps, sid: RecordingSid, known?: Sidecar['analysis']): Promise<void> {
  const row = await deps.catalog.find(sid);
  if (row?.state !== 'verified') return;
  // The process that verified it may have been killed before it removed what other writers had left.
  const surplus = row.leases > 1 ? await removeSurplus(deps, row) : undefined;
  await describeRow(deps, row, known);
  if (surplus?.again) {
    throw new CustodyError('store_unavailable', 'surplus object versions could not be removed now');
  }
}

/** The same for a row that was just read or written. */
export async function describeRow(deps: Deps, row: RecordingRow, known?: Sidecar['analysis']): Promise<void> {
  if (!row.object) return;
  const { alarms, catalog, config, keys, log, queue, store } = deps;
  const sid = row.recordingSid;
  const sealing = keys && sealingOf(keys, row);
  if (keys && !sealing) {
    log.info(
      { recording: sid },
      'the key of a recording no longer exists: its sidecar is not written again, and cannot be read either',
    );
    return;
  }
  // Null is a known analysis: it means that the audio cannot be analysed.
  const analysis = known === undefined ? await analysisOf(deps, row, row.object) : known;
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
  // Two processes wrote at once, and our sidecar may be older: it is removed, and the job writes again.
  await remove(deps, now);
  log.info({ recording: sid }, 'another process wrote the sidecar at the same time');
  await queue.send(ingestJobs.describe, { recordingSid: sid }, { startAfterMs: 1_000 });
}

/** The same; if it fails now, a job does it, because a missing sidecar does not affect the recording. */
export async function describeOrLater(
  deps: Deps,
  row: RecordingRow,
  known?: Sidecar['analysis'],
): Promise<void> {
  const sid = row.recordingSid;
  try {
    await describeRow(deps, row, known);
  } catch (error) {
    deps.log.warn(
      { recording: sid, code: errorCode(error) },
      'the sidecar is not written yet: a job does it',
    );
    await deps.queue.send(ingestJobs.describe, { recordingSid: sid });
  }
}

/**
 * Raises an alarm; the recording itself is not affected, and the janitor sends the job again. A wrong setting is seldom
 * corrected within a minute: a job that waits for an hour keeps the janitor from sending one each minute.
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
 * The sidecar is sealed by the recording's own key, so that destroying the key destroys both: no other key may seal the
 * facts again.
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

/** In a bucket without versions the earlier sidecar is already overwritten. */
async function remove({ store, log }: Deps, sidecar: StoredSidecar | undefined): Promise<void> {
  if (sidecar?.versionId === undefined) return;
  try {
    await store.delete(sidecar.key, sidecar.versionId);
  } catch {
    log.warn({ key: sidecar.key }, 'an earlier version of a sidecar could not be removed');
  }
}
