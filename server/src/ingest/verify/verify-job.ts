import {
  CustodyError,
  errorCode,
  isRetryable,
  type RecordingSid,
  type SealedObject,
} from '@flex-custody/core';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { DeadJob, OfRecording } from '../../queue/job.ts';
import { buryRecording } from '../copy/bury.ts';
import type { IngestDeps } from '../deps.ts';
import { ownFaults } from '../failures.ts';
import { giveUp } from '../give-up.ts';
import { removeSurplus } from '../intake/surplus.ts';
import { ingestJobs } from '../jobs.ts';
import { logStep } from '../log-step.ts';
import { custodyAlarms } from '../recording-alarms.ts';
import { settingWrong } from '../setting-alarm.ts';
import { describeOrLater } from './describe-job.ts';
import { isToBeProven, proofByCopy } from './proof.ts';
import { type ReadBack, readBack } from './read-back.ts';

/** Bad copies after which an operator has to act. */
const badCopies = 3;

/**
 * Codes that prove that the bytes are bad: not the source's, or no message of ours. For any other failure (a key that
 * this host lacks, a message of a newer format) the host may be at fault, and deleting would destroy a good copy.
 */
const worthless = new Set([
  'object_mismatch',
  'object_not_audio',
  'envelope_malformed',
  'envelope_truncated',
  'envelope_trailing_bytes',
  'envelope_frame_order',
  'envelope_tampered',
  'envelope_wrong_recording',
]);

/**
 * Reads a sealed object back, by its version, with the keys of playback, and compares it with what was copied and with
 * Twilio's facts. After a permanent failure the host copies the recording again.
 * @throws a retryable CustodyError if the object cannot be read now
 */
export async function verifyJob(deps: IngestDeps, sid: RecordingSid, ended: AbortSignal): Promise<void> {
  const { alarms, catalog, log, observer, queue } = deps;
  const row = await catalog.find(sid);
  if (row?.state !== 'sealed' || !row.object) return;
  const { object } = row;
  const begun = Date.now();
  let found: ReadBack;
  try {
    found = await readAgainst(deps, row, object, ended);
  } catch (error) {
    if (ended.aborted || isOurs(error)) throw error;
    return reject(deps, row, object, errorCode(error));
  }
  const proof = proofByCopy(row);
  const verified = await catalog.verified(sid, object, found.plaintextSha256, {
    channels: found.channels,
    ...(proof && { proof }),
  });
  if (!verified) {
    // Another object was sealed meanwhile and has to be verified too.
    await queue.send(ingestJobs.verify, { recordingSid: sid });
    return;
  }
  // The present settings wrote and opened this object, so they are right.
  await Promise.all([alarms.resolve(custodyAlarms, sid), alarms.resolve([settingWrong])]);
  // An earlier writer may have been killed after its last byte. If this process dies or the store is unavailable, the job
  // `describe` removes what is left.
  const surplus = row.leases > 1 ? await removeSurplus(deps, row) : undefined;
  if (surplus?.again) await queue.send(ingestJobs.describe, { recordingSid: sid });
  else await describeOrLater(deps, verified, found.analysis);
  if (isToBeProven(deps, verified)) await queue.send(ingestJobs.prove, { recordingSid: sid });
  await deps.askLength(sid);
  const ms = Date.now() - begun;
  observer?.verified?.(sid, object.plaintextBytes, ms);
  logStep(log, 'verified', sid, { bytes: object.plaintextBytes, ms, proven: proof !== undefined });
}

/** Compares the length with the one that Twilio states; the seconds of pauses are read only if needed. */
async function readAgainst(
  deps: IngestDeps,
  row: RecordingRow,
  object: SealedObject,
  ended: AbortSignal,
): Promise<ReadBack> {
  const { durationSeconds } = row;
  const stated = durationSeconds === undefined ? {} : { durationSeconds };
  try {
    return await readBack(deps, row, object, ended, stated);
  } catch (error) {
    const pausedSeconds = errorCode(error) === 'object_length' ? await deps.catalog.pausedSeconds(row) : 0;
    if (pausedSeconds === 0) throw error;
    return readBack(deps, row, object, ended, { ...stated, pausedSeconds });
  }
}

/** Failures that prove nothing about the object: outages, and faults of this host's settings. */
function isOurs(error: unknown): boolean {
  return !(error instanceof CustodyError) || isRetryable(error) || ownFaults.has(error.code);
}

async function reject(deps: IngestDeps, row: RecordingRow, object: SealedObject, code: string) {
  const { alarms, catalog, log, queue, store } = deps;
  const sid = row.recordingSid;
  // Another job was first; its object is verified by a job of its own.
  if (!(await catalog.rejected(sid, object, code))) return;
  logStep(log, 'rejected', sid, { reason: code });
  await alarms.raise('object_rejected', sid, code);
  if (worthless.has(code) && object.versionId !== undefined) {
    try {
      await store.delete(object.key, object.versionId);
    } catch (error) {
      log.warn({ recording: sid, code: errorCode(error) }, 'a bad object version could not be removed');
    }
  }
  if ((await catalog.attempt(sid)) >= badCopies) {
    return giveUp(deps, sid, code, {
      code: 'verify_failed',
      detail: `${badCopies} copies could not be verified, the last because of ${code}`,
    });
  }
  await queue.send(ingestJobs.copy, { recordingSid: sid }, { once: 'now' });
}

export const verifyDead = (deps: IngestDeps, dead: DeadJob<OfRecording>): Promise<void> =>
  buryRecording(deps, dead, ['sealed'], { code: 'verify_failed', detail: dead.error.code });
