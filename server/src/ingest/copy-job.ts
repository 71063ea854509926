import { errorCode, type RecordingSid } from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import type { RecordingRow } from '../catalog/catalog.ts';
import { copyUnderLease, type LeasedCopy, workerLeaseMs } from './copy-under-lease.ts';
import type { Gate } from './gate.ts';
import { isHeld } from './lease.ts';
import type { IngestParts } from './parts.ts';
import { mediaLags, mediaOpener, mediaSource, pausedSecondsOf, settleUncopyable } from './source.ts';

const unfinishedMs = 30_000;

const atOnce: Gate = (work) => work();

/**
 * Copies what no Function has copied. Does nothing where nothing is left to do, and comes back later where somebody
 * else is at it or Twilio is not finished.
 * @param ended aborts when the process ends
 * @param inTurn holds back the copy itself, not the questions before it: they wait for others' answers, and need no memory
 * @throws CustodyError as the media, the envelope and the store do; the lease is released before
 */
export async function copyJob(
  parts: IngestParts,
  sid: RecordingSid,
  ended: AbortSignal,
  inTurn: Gate = atOnce,
): Promise<void> {
  const { catalog, queue, twilio } = parts;
  const row = await catalog.find(sid);
  if (row?.state !== 'registered' && row?.state !== 'copying') return;
  if (isHeld(row)) return relieveLater(parts, row);
  const facts = factsIn(row) ?? (await twilio.recording(sid));
  if ((await settleUncopyable(parts, sid, facts)) || !facts) return;
  if (facts.status !== 'completed') {
    await queue.send(
      'copy',
      { recordingSid: sid },
      { startAfterMs: unfinishedMs, once: `unfinished:${sid}` },
    );
    return;
  }
  const pausedSeconds = await pausedSecondsOf(parts, row);
  await inTurn(async () => {
    ended.throwIfAborted();
    const lease = await catalog.lease(sid, 'worker', parts.workerLeaseMs ?? workerLeaseMs);
    if (lease === undefined) {
      const now = await catalog.find(sid);
      if (now && isHeld(now)) await relieveLater(parts, now);
      return;
    }
    try {
      const open: LeasedCopy['open'] = (asked, signal) => mediaOpener(parts, facts, signal)(asked);
      const source = mediaSource(facts, pausedSeconds);
      await copyUnderLease(parts, { source, open, lease, by: 'worker' }, ended);
    } catch (error) {
      if (errorCode(error) !== 'media_missing') throw error;
      if (!(await settleUncopyable(parts, sid, await twilio.recording(sid)))) throw mediaLags();
    }
  });
}

/** Looks again once the other's lease may have lapsed: whoever holds it may be dead. */
async function relieveLater(parts: IngestParts, row: RecordingRow): Promise<void> {
  const { leaseUntil, recordingSid } = row;
  const startAfterMs = Math.max(0, (leaseUntil?.getTime() ?? 0) - Date.now()) + 1_000;
  await parts.queue.send('copy', { recordingSid }, { startAfterMs, once: `lapse:${recordingSid}` });
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
