import { errorCode } from '@flex-custody/core';
import type { RecordingRow } from '../catalog/catalog.ts';
import type { IngestParts } from './parts.ts';
import { logStep } from './steps.ts';

/** Of one look: Twilio's other users want to ask it too. */
const atOnce = 200;

type Parts = Pick<IngestParts, 'alarms' | 'catalog' | 'config' | 'log' | 'queue' | 'store' | 'twilio'>;

/**
 * Deletes the originals at Twilio of recordings that were verified long enough ago, each after one more look at the copy.
 * What is not as it was is an alarm, and its original stays.
 * @returns how many Twilio has no longer
 * @throws CustodyError that is retryable when Twilio or the bucket cannot be asked now
 */
export async function deleteSources(parts: Parts, ended: AbortSignal): Promise<number> {
  const { alarms, catalog, config, log, queue, twilio } = parts;
  const hours = config.deleteSourceAfterHours;
  if (hours === undefined) return 0;
  let deleted = 0;
  for (const row of await catalog.sourcesDue(hours, atOnce)) {
    ended.throwIfAborted();
    const { recordingSid } = row;
    if (!(await isWhole(parts, row))) {
      await alarms.raise('source_kept', recordingSid, 'its copy is not in the bucket as it was verified');
      continue;
    }
    try {
      const how = await twilio.deleteRecording(recordingSid);
      await catalog.sourceDeleted(recordingSid);
      await alarms.mended(['source_kept'], recordingSid);
      logStep(log, 'source-deleted', recordingSid, { reason: how });
    } catch (error) {
      if (errorCode(error) !== 'twilio_refused') throw error;
      await alarms.raise('source_kept', recordingSid, 'Twilio refuses to delete it');
      continue;
    }
    await queue.send('describe', { recordingSid }, { once: recordingSid });
    deleted += 1;
  }
  return deleted;
}

/** The very version that was verified is still there, and so is what describes it. */
async function isWhole({ store }: Parts, { object, sidecar }: RecordingRow): Promise<boolean> {
  if (!object || !sidecar) return false;
  const [copy, description] = await Promise.all([
    store.head(object.key, object.versionId),
    store.head(sidecar.key, sidecar.versionId),
  ]);
  return copy?.etag === object.etag && copy.bytes === object.bytes && description !== undefined;
}
