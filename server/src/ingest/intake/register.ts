import {
  CustodyError,
  errorCode,
  type IngestAnswer,
  isRetryable,
  type RecordingCallback,
} from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { IngestDeps } from '../deps.ts';
import { ingestJobs } from '../jobs.ts';
import type { Linker } from '../link/linker.ts';
import { logStep } from '../log-step.ts';
import { answerOf, grantLease, isSettled, settledAnswer } from './answer.ts';
import { isHeld } from './lease.ts';
import { registrationOf, settleUncopyable } from './source.ts';

/**
 * Within this time the link is waited for; the rest of it is left to a job. A Function waits 3.5 s for the whole answer,
 * of its ten seconds.
 */
const linkWithinMs = 3_000;
/** After this time the caller is taken to have gone: a lease would only keep the worker away. */
const answerWithinMs = 3_400;
/** A job looks again after a recording that is not finished. */
const unfinishedMs = 30_000;

/**
 * Takes a callback as a hint that something was recorded: reads the Recording from Twilio, registers it, links it, and
 * only then says who copies it.
 * @throws CustodyError `foreign_account` (403), `recording_missing` (404), `twilio_*` (503 when it cannot be asked now)
 */
export async function receive(
  deps: IngestDeps,
  linker: Linker,
  callback: RecordingCallback,
): Promise<IngestAnswer> {
  const { catalog, config, queue, twilio } = deps;
  const sid = callback.recordingSid;
  const begun = Date.now();
  const linkTime = () => Math.max(0, linkWithinMs - (Date.now() - begun));
  if (callback.accountSid !== config.accountSid) throw foreign();
  const known = await reconsidered(deps, linker, callback, linkTime);
  if (known && isSettled(known)) {
    if (known.linkState !== 'pending') return settledAnswer(known);
    await linker.linkWithin(known, linkTime());
    return settledAnswer((await catalog.find(sid)) ?? known);
  }
  // The holder linked it before it got the lease.
  if (known && isHeld(known)) return answerOf('busy', known);
  const facts = (await twilio.recording(sid)) ?? missing(callback);
  if (facts.accountSid !== config.accountSid) throw foreign();
  const row = await catalog.register(registrationOf(facts, 'callback', callback.hints));
  if (!known) logStep(deps.log, 'registered', sid);
  // What was never recorded, or is no more, has nothing that a task could show.
  if (isThere(facts)) await linker.linkWithin(row, linkTime());
  const settled = await settleUncopyable(deps, sid, facts);
  const linked = (await catalog.find(sid)) ?? row;
  const host = answerOf('host', linked);
  if (settled === 'absent') return answerOf('done', linked);
  if (settled) return host;
  if (facts.status !== 'completed') {
    await queue.send(
      ingestJobs.copy,
      { recordingSid: sid },
      { startAfterMs: unfinishedMs, once: 'unfinished' },
    );
    return host;
  }
  // What Twilio sealed opens with a private key, which no Function has; and after a bad copy the host trusts only itself.
  if (facts.encryption || linked.hostOnly || Date.now() - begun > answerWithinMs) {
    await queue.send(ingestJobs.copy, { recordingSid: sid }, { once: 'now' });
    return host;
  }
  return grantLease(deps, linked, facts);
}

/**
 * The row as it is known, with these hints where others were refused and Twilio's facts prove these.
 * @throws CustodyError that is retryable where nothing but that is to be done, and Twilio cannot be asked now
 */
async function reconsidered(
  { catalog, log }: IngestDeps,
  linker: Linker,
  { recordingSid, hints }: RecordingCallback,
  linkTime: () => number,
): Promise<RecordingRow | undefined> {
  const row = await catalog.find(recordingSid);
  if (row?.linkState !== 'refused' || row.state === 'erased') return row;
  const other = await linker.reconsider(row, hints).catch((error: unknown) => {
    // This call is not to make a copy, so Twilio may call again.
    if (isRetryable(error) && (isSettled(row) || isHeld(row))) throw error;
    log.warn({ recording: recordingSid, code: errorCode(error) }, 'other hints could not be proven now');
    return row;
  });
  if (other.linkState !== 'pending') return other;
  await linker.linkWithin(other, linkTime());
  return (await catalog.find(recordingSid)) ?? other;
}

function foreign(): CustodyError {
  return new CustodyError('foreign_account', 'the recording is of another account');
}

function missing(callback: RecordingCallback): TwilioRecording {
  if (callback.status !== 'absent' && callback.status !== 'failed') {
    throw new CustodyError('recording_missing', 'Twilio knows no such recording');
  }
  // Callback and API agree that there is nothing: kept and counted, so that a missing recording has its reason.
  return {
    sid: callback.recordingSid,
    accountSid: callback.accountSid,
    ...(callback.callSid ? { callSid: callback.callSid } : {}),
    ...(callback.conferenceSid ? { conferenceSid: callback.conferenceSid } : {}),
    status: callback.status,
    channels: 1,
    startedAt: new Date(),
    ...(callback.errorCode ? { errorCode: callback.errorCode } : {}),
  };
}

function isThere({ status }: TwilioRecording): boolean {
  return status !== 'absent' && status !== 'deleted' && status !== 'failed';
}
