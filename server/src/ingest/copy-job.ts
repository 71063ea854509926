import { CustodyError, errorCode, objectKey, type RecordingSid } from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import { copyResumably, openMedia } from '@flex-custody/vault';
import type { RecordingRow } from '../catalog/catalog.ts';
import { abandonUpload } from './abandon-upload.ts';
import type { Gate } from './gate.ts';
import { isHeld } from './lease.ts';
import type { IngestParts } from './parts.ts';
import { discard } from './report.ts';
import { mediaSource, settleUncopyable } from './source.ts';
import { logStep, provenBad } from './steps.ts';

/** A worker's lease is short and extended while it works, so that a killed worker is relieved soon. */
const workerLeaseMs = 60_000;
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
  const facts = await twilio.recording(sid);
  if ((await settleUncopyable(parts, sid, facts)) || !facts) return;
  if (facts.status !== 'completed') {
    await queue.send(
      'copy',
      { recordingSid: sid },
      { startAfterMs: unfinishedMs, once: `unfinished:${sid}` },
    );
    return;
  }
  await inTurn(async () => {
    ended.throwIfAborted();
    const lease = await catalog.lease(sid, 'worker', workerLeaseMs);
    if (lease !== undefined) return copyUnderLease(parts, facts, lease, ended);
    const now = await catalog.find(sid);
    if (now && isHeld(now)) await relieveLater(parts, now);
  });
}

/** Looks again once the other's lease may have lapsed: whoever holds it may be dead. */
async function relieveLater(parts: IngestParts, row: RecordingRow): Promise<void> {
  const { leaseUntil, recordingSid } = row;
  const startAfterMs = Math.max(0, (leaseUntil?.getTime() ?? 0) - Date.now()) + 1_000;
  await parts.queue.send('copy', { recordingSid }, { startAfterMs, once: `lapse:${recordingSid}` });
}

/**
 * Twilio says that the recording is completed, and its media is not there yet: it will be. Only when Twilio says that the
 * recording is deleted is it gone, and that is asked before every copy.
 */
const mediaLags = () =>
  new CustodyError('media_missing', 'completed, but its media is not there yet', {
    status: 404,
    retryable: true,
  });

async function copyUnderLease(
  parts: IngestParts,
  facts: TwilioRecording,
  lease: string,
  ended: AbortSignal,
): Promise<void> {
  const { catalog, keys, log, observer, queue, store, uploads } = parts;
  const sid = facts.sid;
  const begun = Date.now();
  logStep(log, 'leased', sid, { by: 'worker' });
  const lost = new AbortController();
  const signal = AbortSignal.any([ended, lost.signal]);
  const extension = setInterval(() => {
    catalog.extendLease(sid, lease, workerLeaseMs).then(
      (held) => held || lost.abort(new CustodyError('lease_lost', 'another writer took over')),
      // The database is away: the lease has two more thirds of its time for it to come back.
      (error: unknown) => log.warn({ recording: sid, code: errorCode(error) }, 'lease not extended'),
    );
  }, workerLeaseMs / 3);
  try {
    const source = mediaSource(facts);
    const found = await uploads.find(sid);
    let isNoted = found !== undefined;
    const { object, channels } = await copyResumably({
      source,
      open: ({ channels: wanted, ...range }) =>
        openMedia({ ...source, channels: wanted }, parts.credentials, { signal, ...range }),
      keys,
      store,
      objectKey: objectKey(facts.accountSid, sid),
      state: found,
      save: (state) => {
        isNoted = true;
        return uploads.save(sid, lease, state);
      },
      signal,
      onProgress: (done, total) => observer?.copyProgress?.(sid, done, total),
    });
    if (!(await catalog.sealed(sid, lease, object, channels))) {
      await discard(parts, sid, object);
      log.warn({ recording: sid }, 'copied, but another writer was first');
      return;
    }
    if (isNoted) await uploads.remove(sid);
    const ms = Date.now() - begun;
    observer?.copied?.(sid, object.plaintextBytes, ms, 'worker');
    logStep(log, 'sealed', sid, { by: 'worker', bytes: object.plaintextBytes, ms });
  } catch (error) {
    if (lost.signal.aborted || errorCode(error) === 'lease_lost') return;
    // What proved to be no whole recording would only be gone on with to the same end.
    if (provenBad.has(errorCode(error))) await abandonUpload(parts, sid);
    await catalog.release(sid, lease, errorCode(error));
    throw errorCode(error) === 'media_missing' ? mediaLags() : error;
  } finally {
    clearInterval(extension);
  }
  await queue.send('verify', { recordingSid: sid }, { once: sid });
}
