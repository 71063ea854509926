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
  /** Holds back the copy itself, not the questions before it: they wait for others' answers, and need no memory. */
  inTurn?: Gate;
  /** Verifies what was copied in the same job; without it that is left to a job of its own. */
  verifyNext?: (sid: RecordingSid) => Promise<void>;
  /** From 1. */
  attempt?: number;
}

/**
 * Copies what no Function has copied. Does nothing where nothing is left to do, and comes back later where somebody
 * else is at it or Twilio is not finished.
 * @param ended aborts when the process ends
 * @throws CustodyError as the media, the envelope and the store do; the lease is released before
 */
export async function copyJob(
  deps: IngestDeps,
  sid: RecordingSid,
  ended: AbortSignal,
  { inTurn = atOnce, verifyNext, attempt = 1 }: CopyOptions = {},
): Promise<void> {
  const { catalog, queue, twilio } = deps;
  const row = await catalog.find(sid);
  // An earlier try of this job has copied it, and could not even leave its verification to another.
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
    deps.log.warn({ recording: sid, code: errorCode(error) }, 'its verification is left to a job');
    await leaveVerification(deps, sid);
  }
}

/** A job of its own has tries of its own, and a dead letter that says what failed. */
const leaveVerification = ({ queue }: IngestDeps, sid: RecordingSid): Promise<void> =>
  queue.send(ingestJobs.verify, { recordingSid: sid });

/** Looks again once the other's lease may have lapsed: whoever holds it may be dead. */
async function relieveLater(deps: IngestDeps, row: RecordingRow): Promise<void> {
  const { leaseUntil, recordingSid } = row;
  const startAfterMs = Math.max(0, (leaseUntil?.getTime() ?? 0) - Date.now()) + 1_000;
  await deps.queue.send(ingestJobs.copy, { recordingSid }, { startAfterMs, once: 'lapse' });
}

/**
 * What Twilio said of a completed recording when it was registered: of that nothing changes any more but that it is
 * deleted, which missing media tells. How to open what Twilio sealed is not in the catalog.
 */
function factsIn(row: RecordingRow): TwilioRecording | undefined {
  if (!row.sourceCompleted || row.sourceEncrypted) return undefined;
  const { accountSid, channels, durationSeconds, recordingSid: sid, startedAt } = row;
  const length = durationSeconds === undefined ? {} : { durationSeconds };
  return { sid, accountSid, status: 'completed', channels, startedAt, ...length };
}
