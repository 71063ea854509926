import { buffer } from 'node:stream/consumers';
import { CustodyError, type RecordingSid, readSidecar, type Sidecar, sidecarKey } from '@flex-custody/core';
import { openBytes } from '@flex-custody/vault';
import type { RecordingRow, StoredSidecar } from '../catalog/catalog.ts';
import type { IngestParts } from './parts.ts';

/** A sidecar is some kilobytes: what is larger is none. */
const mostBytes = 1_000_000;

/**
 * Reads what lies beside a recording.
 * @param at the version that is wanted; else the newest
 * @throws CustodyError `sidecar_invalid`, or as store and keys do
 */
export async function openSidecar(
  { config, keys, store }: Pick<IngestParts, 'config' | 'keys' | 'store'>,
  sid: RecordingSid,
  at?: StoredSidecar,
): Promise<{ sidecar: Sidecar; stored: StoredSidecar }> {
  const key = at?.key ?? sidecarKey(config.accountSid, sid);
  const { body, etag, versionId, totalBytes } = await store.get(key, {
    ...(at?.versionId !== undefined && { versionId: at.versionId }),
  });
  if (totalBytes > mostBytes) {
    body.destroy();
    throw new CustodyError('sidecar_invalid', 'a sidecar cannot be so large');
  }
  const raw = await buffer(body);
  const context = { account: config.accountSid, recording: sid };
  const text = store.mode === 'envelope' && keys ? await openBytes(keys, context, raw) : raw;
  const sidecar = readSidecar(text.toString('utf8'));
  if (sidecar.recordingSid !== sid || sidecar.accountSid !== config.accountSid) {
    throw new CustodyError('sidecar_invalid', 'a sidecar lies beside another recording than its own');
  }
  return { sidecar, stored: { key, ...(versionId !== undefined && { versionId }), etag } };
}

/** What a sidecar says of a recording. */
export function sidecarOf(
  row: RecordingRow,
  object: NonNullable<RecordingRow['object']>,
  analysis: Sidecar['analysis'],
): Sidecar {
  const { callSid, conferenceSid, taskSid, reservationSid, workerSid, durationSeconds } = row;
  const { queue, direction, caller } = row;
  return {
    version: 1,
    recordingSid: row.recordingSid,
    accountSid: row.accountSid,
    ...(callSid && { callSid }),
    ...(conferenceSid && { conferenceSid }),
    ...(taskSid && { taskSid }),
    ...(reservationSid && { reservationSid }),
    ...(workerSid && { workerSid }),
    ...(queue !== undefined && { queue }),
    ...(direction && { direction }),
    ...(caller !== undefined && { caller }),
    channels: row.channels,
    ...(durationSeconds !== undefined && { durationSeconds }),
    startedAt: row.startedAt.toISOString(),
    source: row.source,
    object,
    ...(row.verifiedAt && { verifiedAt: row.verifiedAt.toISOString() }),
    ...(row.sourceDeletedAt && { sourceDeletedAt: row.sourceDeletedAt.toISOString() }),
    ...(row.proof && { proof: row.proof }),
    ...(row.unproven.length > 0 && { unproven: row.unproven }),
    ...(analysis !== undefined && { analysis }),
  };
}
