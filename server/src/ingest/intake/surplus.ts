import { errorCode, isRetryable, type RecordingSid, type SealedObject } from '@flex-custody/core';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { IngestDeps } from '../deps.ts';

/**
 * Removes earlier versions of a recording's object: copies of writers that were killed between their last byte and their
 * report, or that came second, and versions under an older key. It removes only versions older than the noted one,
 * because a newer one may be a copy in progress.
 * @returns how many were removed, how many could not be removed, and whether another try may remove more
 */
export async function removeSurplus(
  deps: Pick<IngestDeps, 'log' | 'store'>,
  { recordingSid, object }: Pick<RecordingRow, 'recordingSid' | 'object'>,
): Promise<{ removed: number; left: number; again: boolean }> {
  const done = { removed: 0, left: 0, again: false };
  // The next writer overwrites a version `null`, so older versions may be the only ones left.
  if (object?.versionId === undefined || object.versionId === 'null') return done;
  const { store, log } = deps;
  const failed = (error: unknown) => {
    done.again ||= isRetryable(error);
    log.warn(
      { recording: recordingSid, code: errorCode(error) },
      'surplus object versions could not be removed',
    );
  };
  let isOlder = false;
  try {
    // Newest first.
    for await (const version of store.versions(object.key)) {
      if (version.key !== object.key) continue;
      if (version.versionId === object.versionId) isOlder = true;
      else if (isOlder && version.versionId !== undefined) {
        try {
          await store.delete(version.key, version.versionId);
          done.removed += 1;
        } catch (error) {
          done.left += 1;
          failed(error);
        }
      }
    }
  } catch (error) {
    failed(error);
  }
  if (done.removed > 0)
    log.info({ recording: recordingSid, removed: done.removed }, 'surplus object versions removed');
  return done;
}

/**
 * Removes an object that a writer without the lease has written. It needs a version id: in a bucket without versions the
 * key may already hold the valid object, and verification finds out which one it is.
 */
export async function discard(
  deps: Pick<IngestDeps, 'catalog' | 'log' | 'store'>,
  sid: RecordingSid,
  object: Pick<SealedObject, 'key' | 'versionId'>,
): Promise<void> {
  if (object.versionId === undefined) return;
  const current = await deps.catalog.find(sid);
  if (current?.object?.versionId === object.versionId) return;
  try {
    await deps.store.delete(object.key, object.versionId);
  } catch {
    deps.log.warn({ recording: sid }, 'a surplus object version could not be removed');
  }
}
