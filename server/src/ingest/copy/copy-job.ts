import { errorCode, type RecordingSid } from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { IngestDeps } from '../deps.ts';
import type { Gate } from '../intake/gate.ts';
import { isHeld } from '../intake/lease.ts';
import { mediaLags, mediaOpener, mediaSource, pausedSecondsOf, settleUncopyable } from '../intake/source.ts';
import { ingestJobs } from '../jobs.ts';
import { copyUnderLease, type LeasedCopy, workerLeaseMs } from './copy-under-lease.ts';

const unfinishedMs = 30_000;

const atOnce: Gate = (work) => work();

export interface CopyOptions {
  /** Limits how many copies run at once. The requests before a copy need no memory and are not limited. */
  inTurn?: Gate;
  /** Verifies the copy in the same job; absent: a job `verify` does. */
  verifyNext?: (sid: RecordingSid) => Promise<void>;
  /** Number of this try, from 1. */
  attempt?: number;
}

/**
 * Copies a recording that no Function has copied. Does nothing if nothing is left to do, and sends itself again for later
 * if another writer has the lease or Twilio has not finished the recording.
 * @param ended aborts when the process ends
 * @throws CustodyError as the media, the envelope and the store do; the lease is released first
 */
export async function copyJob(
  deps: IngestDeps,
  sid: RecordingSid,
  ended: AbortSignal,
  { inTurn = atOnce, verifyNext, attempt = 1 }: CopyOptions = {},
): Promise<void> {
  const { catalog, queue, twilio } = deps;
  const row = await catalog.find(sid);
  // An earlier try of this job has copied it, and failed before it could send the job `verify`.
  if (row?.state === 'sealed' && attempt > 1) await leaveVerification(deps, sid);
  if (row?.state !== 'registered' && row?.state !== 'copying') return;
  if (isHeld(row)) return relieveLater(deps, row);
  const facts = factsIn(row) ?? (await twilio.recording(sid));
  if ((await settleUncopyable(deps, sid, facts)) || !facts) return;
  if (facts.status !== 'completed') {
    await queue.send(
      ingestJobs.copy,
      { recordingSid: sid },
      { startAfterMs: unfinishedMs, once: 'unfinished' },
    );
    return;
  }
  const pausedSeconds = await pausedSecondsOf(deps, row);
  const isVerifiedNext = verifyNext !== undefined;
  const isCopied = await inTurn(async () => {
    ended.throwIfAborted();
    const lease = await catalog.lease(sid, 'worker', deps.workerLeaseMs ?? workerLeaseMs);
    if (lease === undefined) {
      const now = await catalog.find(sid);
      if (now && isHeld(now)) await relieveLater(deps, now);
      return false;
    }
    try {
      const open: LeasedCopy['open'] = (asked, signal) => mediaOpener(deps, facts, signal)(asked);
      const source = mediaSource(facts, pausedSeconds);
      return await copyUnderLease(deps, { source, open, lease, by: 'worker', isVerifiedNext }, ended);
    } catch (error) {
      if (errorCode(error) !== 'media_missing') throw error;
      if (!(await settleUncopyable(deps, sid, await twilio.recording(sid)))) throw mediaLags();
      return false;
    }
  });
  if (!isCopied || !verifyNext) return;
  try {
    await verifyNext(sid);
  } catch (error) {
    deps.log.warn({ recording: sid, code: errorCode(error) }, 'the copy is not verified yet: a job does it');
    await leaveVerification(deps, sid);
  }
}

/** A separate job has its own tries, and its dead letter names what failed. */
const leaveVerification = ({ queue }: IngestDeps, sid: RecordingSid): Promise<void> =>
  queue.send(ingestJobs.verify, { recordingSid: sid });

/** Looks again after the other writer's lease may have lapsed, because that writer may be dead. */
async function relieveLater(deps: IngestDeps, row: RecordingRow): Promise<void> {
  const { leaseUntil, recordingSid } = row;
  const startAfterMs = Math.max(0, (leaseUntil?.getTime() ?? 0) - Date.now()) + 1_000;
  await deps.queue.send(ingestJobs.copy, { recordingSid }, { startAfterMs, once: 'lapse' });
}

/**
 * Twilio's facts about a completed recording, from the catalog. They no longer change, except that the recording may be
 * deleted, which missing media shows. Undefined for a recording that Twilio has encrypted: the catalog lacks what is
 * needed to decrypt it.
 */
function factsIn(row: RecordingRow): TwilioRecording | undefined {
  if (!row.sourceCompleted || row.sourceEncrypted) return undefined;
  const { accountSid, channels, durationSeconds, recordingSid: sid, startedAt } = row;
  const length = durationSeconds === undefined ? {} : { durationSeconds };
  return { sid, accountSid, status: 'completed', channels, startedAt, ...length };
}
