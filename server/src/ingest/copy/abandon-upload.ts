import { errorCode, type RecordingSid } from '@flex-custody/core';
import type { IngestDeps } from '../deps.ts';

/** Ends a begun upload that no copy will continue: aborts it in the bucket, and removes its stored progress. */
export async function abandonUpload(
  { store, uploads, log }: Pick<IngestDeps, 'store' | 'uploads' | 'log'>,
  sid: RecordingSid,
): Promise<void> {
  const state = await uploads.find(sid);
  if (!state) return;
  try {
    await store.abortUpload(state.key, state.uploadId);
    await uploads.remove(sid);
  } catch (error) {
    log.warn(
      { recording: sid, code: errorCode(error) },
      'an upload could not be aborted now: the janitor aborts it later',
    );
  }
}
