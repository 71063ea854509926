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
 * The answer waits for the link no longer than this; then a job continues. A Function waits 3.5 of its ten seconds for
 * the whole answer.
 */
const linkWithinMs = 3_000;
/** After this time the Function no longer waits for the answer: a lease for it would only delay the worker. */
const answerWithinMs = 3_400;
/** Time after which a job looks again at an unfinished recording. */
const unfinishedMs = 30_000;

/**
 * Handles a callback, which is only a hint that a recording exists: reads the recording from Twilio, registers it, links
 * it, and answers who copies it.
 * @throws CustodyError `foreign_account` (403), `recording_missing` (404), `twilio_*` (503 if Twilio does not answer now)
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
  // The holder's callback has linked it before the lease was granted.
  if (known && isHeld(known)) return answerOf('busy', known);
  const facts = (await twilio.recording(sid)) ?? missing(callback);
  if (facts.accountSid !== config.accountSid) throw foreign();
  const row = await catalog.register(registrationOf(facts, 'callback', callback.hints));
  if (!known) logStep(deps.log, 'registered', sid);
  // A task cannot show a recording that does not exist.
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
  // A recording that Twilio has encrypted needs a private key, which no Function has; and after a bad copy only the host
  // copies.
  if (facts.encryption || linked.hostOnly || Date.now() - begun > answerWithinMs) {
    await queue.send(ingestJobs.copy, { recordingSid: sid }, { once: 'now' });
    return host;
  }
  return grantLease(deps, linked, facts);
}

/**
 * The known row. If its hints were refused and Twilio's facts prove these hints, it has these hints.
 * @throws a retryable CustodyError if nothing else is to be done, and Twilio does not answer now
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
    // This callback makes no copy, so the error makes Twilio call again.
    if (isRetryable(error) && (isSettled(row) || isHeld(row))) throw error;
    log.warn({ recording: recordingSid, code: errorCode(error) }, 'the new hints could not be proven now');
    return row;
  });
  if (other.linkState !== 'pending') return other;
  await linker.linkWithin(other, linkTime());
  return (await catalog.find(recordingSid)) ?? other;
}

function foreign(): CustodyError {
  return new CustodyError('foreign_account', 'the recording belongs to another account');
}

function missing(callback: RecordingCallback): TwilioRecording {
  if (callback.status !== 'absent' && callback.status !== 'failed') {
    throw new CustodyError('recording_missing', 'Twilio has no such recording');
  }
  // Callback and API agree that there is no recording: the row is stored, so that the reason can be found.
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
