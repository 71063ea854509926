import type { RecordingSid } from '@flex-custody/core';
import type { TwilioCalls } from '@flex-custody/twilio';
import type { Alarms } from '../../alarms/alarms.ts';
import type { IntakeCatalog } from '../../catalog/intake-catalog.ts';
import type { LookupCatalog } from '../../catalog/lookup-catalog.ts';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { Db } from '../../db/db.ts';
import type { Queue } from '../../queue/queue.ts';
import { recorderJobs } from '../jobs.ts';
import { segmentOf } from '../sessions/kept/contacts-table.ts';
import { expectedEnd, missingSeconds } from './judge.ts';

export interface LengthDeps {
  db: Pick<Db, 'query'>;
  catalog: Pick<LookupCatalog, 'find' | 'ofContacts'> & Pick<IntakeCatalog, 'pausedSeconds'>;
  twilio: Pick<TwilioCalls, 'callFacts'>;
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  queue: Pick<Queue, 'send'>;
  log: { info(fields: object, message: string): void };
  /** Epoch ms. */
  now?: () => number;
}

/** From the verification on: agents' events of the call's end arrive meanwhile (ms). */
export const lengthAfterMs = 2 * 60_000;
/** Until a call that lasts is looked at again. */
const againMs = 15 * 60_000;
/** Older recordings, such as imported ones, are not compared: nothing could be corrected, and each asks Twilio once (ms). */
const oldestMs = 30 * 24 * 60 * 60_000;
/** Twilio ends a call after 24 hours. */
const longestMs = 25 * 60 * 60_000;

/**
 * Compares the length of a verified recording with its call, as Twilio states it, and raises or resolves the alarm
 * `recording_short`. While the call lasts it looks again, for 25 hours at most.
 * @throws CustodyError as TwilioCalls does
 */
export async function compareLength(deps: LengthDeps, sid: RecordingSid): Promise<void> {
  const { alarms, catalog, log, now = Date.now, queue } = deps;
  const row = await catalog.find(sid);
  if (row?.state !== 'verified' || row.durationSeconds === undefined || row.unproven.includes('start'))
    return;
  const startedAt = row.startedAt.getTime();
  if (now() - startedAt > oldestMs) return;
  const expected = expectedEnd({ startedAt, ...(await factsOf(deps, row)) });
  await alarms.resolve(['length_failed'], sid);
  if (expected === 'later' && now() - startedAt < longestMs) {
    await queue.send(recorderJobs.length, { recordingSid: sid }, { startAfterMs: againMs });
    return;
  }
  if (typeof expected === 'string') {
    log.info({ event: 'length.unknown', recording: sid }, 'nothing says how long a recording should be');
    return;
  }
  const seconds = (expected.until - startedAt) / 1_000;
  const skipped = await catalog.pausedSeconds({ ...row, durationSeconds: seconds });
  const missing = missingSeconds(seconds, skipped, row.durationSeconds);
  if (missing === 0) return alarms.resolve(['recording_short'], sid);
  const rest = skipped > 0 ? `, ${Math.round(skipped)} s of them paused` : '';
  await alarms.raise(
    'recording_short',
    sid,
    `it has ${row.durationSeconds} s, and its call lasted ${Math.round(seconds)} s from its start${rest}: ${Math.round(missing)} s are missing`,
  );
}

/** Twilio's Call of the leg, the segment of the proven reservation, and the next recording of the same. */
async function factsOf(deps: LengthDeps, row: RecordingRow) {
  const { callSid } = row;
  const reservationSid = row.unproven.includes('owner') ? undefined : row.reservationSid;
  const call = callSid && (await deps.twilio.callFacts(callSid));
  const found = reservationSid && (await segmentOf(deps.db, reservationSid));
  const of = [reservationSid, callSid].filter((key) => key !== undefined);
  const later = (await deps.catalog.ofContacts(of)).filter(
    (one) =>
      (one.state === 'verified' || one.state === 'sealed') &&
      one.recordingSid !== row.recordingSid &&
      one.startedAt > row.startedAt,
  );
  const next = Math.min(...later.map((one) => one.startedAt.getTime()));
  return {
    isAgentsLeg: call?.to.startsWith('client:') === true && row.conferenceSid === undefined,
    ...(call?.endedAt && { legEndedAt: call.endedAt.getTime() }),
    ...(found && { segment: found.segment }),
    ...(Number.isFinite(next) && { nextStartedAt: next }),
  };
}

/** Looks again at the recordings whose alarm is open: a late event of the call, or a pause, may explain one. */
export async function compareShortAgain(
  { alarms, queue }: { alarms: Pick<Alarms, 'list'>; queue: Pick<Queue, 'send'> },
  limit = 1_000,
): Promise<void> {
  for (const { recordingSid } of await alarms.list({ open: true, code: 'recording_short', limit }))
    if (recordingSid) await queue.send(recorderJobs.length, { recordingSid });
}
