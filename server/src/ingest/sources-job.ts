import { errorCode } from '@flex-custody/core';
import type { RecordingRow } from '../catalog/catalog.ts';
import { holdsOn } from '../retention/decide.ts';
import { loadPolicy } from '../retention/policy.ts';
import type { IngestParts } from './parts.ts';
import { logStep } from './steps.ts';

const pageRows = 200;
/** Of one look: Twilio's other users want to ask it too. */
const mostPages = 10;
/** Until a copy that could not be proven is held against Twilio's media again. */
const proofAgainMs = 24 * 3_600_000;

type Parts = Pick<
  IngestParts,
  'alarms' | 'callerDigest' | 'catalog' | 'config' | 'log' | 'queue' | 'store' | 'twilio'
>;

/**
 * Deletes the originals at Twilio of recordings that were verified long enough ago, are proven, and are under no hold, each
 * after one more look at the copy. What is not proven is to be, and goes at a later look.
 * What is not as it was is an alarm, and its original stays.
 * @returns how many Twilio has no longer
 * @throws CustodyError `policy_invalid`, or one that is retryable when Twilio or the bucket cannot be asked now
 */
export async function deleteSources(parts: Parts, ended: AbortSignal): Promise<number> {
  const { catalog, config } = parts;
  const hours = config.deleteSourceAfterHours;
  if (hours === undefined) return 0;
  // Where a hold cannot be read nothing goes, and the job says so as a dead letter.
  const policy = loadPolicy(config.policyFile);
  let deleted = 0;
  const beingProven = await parts.queue.waiting('prove');
  // What stays is due for ever, and must not stand in the way of what comes after it.
  let kept = 0;
  for (let page = 0; page < mostPages; page += 1) {
    const rows = await catalog.sourcesDue(hours, pageRows, kept);
    for (const row of rows) {
      ended.throwIfAborted();
      if (holdsOn(policy, row, parts.callerDigest).length > 0) {
        // It is as it should be: no alarm.
        kept += 1;
        continue;
      }
      // The page was read some time ago: what is proven must be the very object that is there now.
      const now = row.proof && (await catalog.find(row.recordingSid));
      if (!now?.proof || now.state !== 'verified') {
        kept += 1;
        if (!beingProven.has(row.recordingSid)) await askForProof(parts, row);
        continue;
      }
      const why = await deleteSource(parts, now);
      if (why === undefined) deleted += 1;
      else {
        kept += 1;
        await parts.alarms.raise('source_kept', row.recordingSid, why);
      }
    }
    if (rows.length < pageRows) break;
  }
  return deleted;
}

/** A second look, unless one was in vain today. */
async function askForProof({ queue }: Parts, { recordingSid, proofTriedAt }: RecordingRow): Promise<void> {
  if (proofTriedAt && Date.now() - proofTriedAt.getTime() < proofAgainMs) return;
  await queue.send('prove', { recordingSid }, { once: recordingSid });
}

/** @returns why it stays */
async function deleteSource(parts: Parts, row: RecordingRow): Promise<string | undefined> {
  const { alarms, catalog, log, queue, twilio } = parts;
  const { recordingSid } = row;
  if (!(await isWhole(parts, row))) return 'its copy is not in the bucket as it was verified';
  let how: string;
  try {
    how = await twilio.deleteRecording(recordingSid);
  } catch (error) {
    if (errorCode(error) === 'twilio_refused') return 'Twilio refuses to delete it';
    throw error;
  }
  await catalog.sourceDeleted(recordingSid);
  await alarms.mended(['source_kept'], recordingSid);
  logStep(log, 'source-deleted', recordingSid, { reason: how });
  await queue.send('describe', { recordingSid }, { once: recordingSid });
  return undefined;
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
