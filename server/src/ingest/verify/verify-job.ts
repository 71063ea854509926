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

/** Copies that may turn out bad before a person has to look. */
const badCopies = 3;

/**
 * Bytes that prove to be bad: not the source's, or no message of ours. Any other failure to open them (a key this host
 * lacks, a message of a newer kind) may be ours, and then deleting would destroy a good copy.
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
 * Reads a sealed object back, by its version, with the keys that playback has, and holds it against what was copied, and
 * against what Twilio says of the recording. What fails for good is copied again by the host.
 * @throws CustodyError that is retryable when the object cannot be read now
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
    // Somebody sealed another object meanwhile; that one has to be read back too.
    await queue.send(ingestJobs.verify, { recordingSid: sid });
    return;
  }
  // What was read here was written and opened by the settings of now.
  await Promise.all([alarms.resolve(custodyAlarms, sid), alarms.resolve([settingWrong])]);
  // Who copied before may have been killed behind the last byte. Should this process be next, or the store away, its
  // description sees to it.
  const surplus = row.leases > 1 ? await removeSurplus(deps, row) : undefined;
  if (surplus?.again) await queue.send(ingestJobs.describe, { recordingSid: sid });
  else await describeOrLater(deps, verified, found.analysis);
  if (isToBeProven(deps, verified)) await queue.send(ingestJobs.prove, { recordingSid: sid });
  const ms = Date.now() - begun;
  observer?.verified?.(sid, object.plaintextBytes, ms);
  logStep(log, 'verified', sid, { bytes: object.plaintextBytes, ms, proven: proof !== undefined });
}

/** Held against the length that Twilio states; what pauses left out of it is asked only where it is needed. */
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

/** Failures that say nothing of the object: outages, and faults of this host's settings. */
function isOurs(error: unknown): boolean {
  return !(error instanceof CustodyError) || isRetryable(error) || ownFaults.has(error.code);
}

async function reject(deps: IngestDeps, row: RecordingRow, object: SealedObject, code: string) {
  const { alarms, catalog, log, queue, store } = deps;
  const sid = row.recordingSid;
  // Not this one any more: another job was first, and what stands now is verified by a job of its own.
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
      detail: `${badCopies} copies did not verify, the last by ${code}`,
    });
  }
  await queue.send(ingestJobs.copy, { recordingSid: sid }, { once: 'now' });
}

export const verifyDead = (deps: IngestDeps, dead: DeadJob<OfRecording>): Promise<void> =>
  buryRecording(deps, dead, ['sealed'], { code: 'verify_failed', detail: dead.error.code });
