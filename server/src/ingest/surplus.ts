import { errorCode } from '@flex-custody/core';
import type { RecordingRow } from '../catalog/catalog.ts';
import type { IngestParts } from './parts.ts';

/**
 * Removes earlier versions of a verified recording's object: copies of writers that were killed between their last byte
 * and their report, or that came second. Only what is older than the proven one goes: what is newer may be somebody's
 * work under way, such as a key's rotation.
 * @returns how many went
 */
export async function removeSurplus(
  parts: Pick<IngestParts, 'log' | 'store'>,
  { recordingSid, object }: Pick<RecordingRow, 'recordingSid' | 'object'>,
): Promise<number> {
  if (object?.versionId === undefined) return 0;
  const { store, log } = parts;
  let isOlder = false;
  let removed = 0;
  try {
    // Newest first.
    for await (const version of store.versions(object.key)) {
      if (version.key !== object.key) continue;
      if (version.versionId === object.versionId) isOlder = true;
      else if (isOlder && version.versionId !== undefined) {
        await store.delete(version.key, version.versionId);
        removed += 1;
      }
    }
  } catch (error) {
    log.warn({ recording: recordingSid, code: errorCode(error) }, 'surplus versions could not be removed');
  }
  if (removed > 0) log.info({ recording: recordingSid, removed }, 'surplus versions removed');
  return removed;
}
