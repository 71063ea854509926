import { type RecordingSid, type Sidecar, sidecarKey } from '@flex-custody/core';
import { sealBytes } from '@flex-custody/vault';
import type { RecordingRow, StoredSidecar } from '../catalog/catalog.ts';
import type { IngestParts } from './parts.ts';

type Parts = Pick<IngestParts, 'alarms' | 'catalog' | 'keys' | 'log' | 'queue' | 'store'>;

/**
 * Writes what is known of a verified recording beside it, sealed as it is, and removes what was written there before.
 * @throws CustodyError as store and keys do
 */
export async function describeJob(parts: Parts, sid: RecordingSid): Promise<void> {
  const { alarms, catalog, keys, log, queue, store } = parts;
  const row = await catalog.find(sid);
  if (row?.state !== 'verified' || !row.object) return;
  const text = Buffer.from(JSON.stringify(sidecarOf(row, row.object)));
  const context = { account: row.accountSid, recording: sid };
  const bytes = store.mode === 'envelope' && keys ? await sealBytes(keys, context, text) : text;
  const key = sidecarKey(row.accountSid, sid);
  const { versionId, etag } = await store.putBytes(key, bytes);
  const now: StoredSidecar = { key, ...(versionId !== undefined && { versionId }), etag };
  if (await catalog.described(sid, row.sidecar, now)) {
    await remove(parts, row.sidecar);
    await alarms.mended(['describe_failed', 'sidecar_unreadable'], sid);
    return;
  }
  // Two wrote at once, and ours may know less: whoever is left writes again.
  await remove(parts, now);
  log.info({ recording: sid }, 'its sidecar was written by another at the same time');
  await queue.send('describe', { recordingSid: sid }, { once: sid, startAfterMs: 1_000 });
}

/** On a bucket without versions what was written before is gone already. */
async function remove({ store, log }: Parts, sidecar: StoredSidecar | undefined): Promise<void> {
  if (sidecar?.versionId === undefined) return;
  try {
    await store.delete(sidecar.key, sidecar.versionId);
  } catch {
    log.warn({ key: sidecar.key }, 'an earlier version of a sidecar could not be removed');
  }
}

export function sidecarOf(row: RecordingRow, object: NonNullable<RecordingRow['object']>): Sidecar {
  const { callSid, conferenceSid, taskSid, reservationSid, workerSid, durationSeconds } = row;
  return {
    version: 1,
    recordingSid: row.recordingSid,
    accountSid: row.accountSid,
    ...(callSid && { callSid }),
    ...(conferenceSid && { conferenceSid }),
    ...(taskSid && { taskSid }),
    ...(reservationSid && { reservationSid }),
    ...(workerSid && { workerSid }),
    channels: row.channels,
    ...(durationSeconds !== undefined && { durationSeconds }),
    startedAt: row.startedAt.toISOString(),
    source: row.source,
    object,
    ...(row.verifiedAt && { verifiedAt: row.verifiedAt.toISOString() }),
    ...(row.sourceDeletedAt && { sourceDeletedAt: row.sourceDeletedAt.toISOString() }),
  };
}
