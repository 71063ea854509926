import { type ConferenceSid, CustodyError, type NotRecordedReason, type Report } from '@flex-custody/core';
import { stopStreams, type TwilioLiveConference, type Viewer } from '@flex-custody/twilio';
import { createAudit } from '../../access/audit.ts';
import { createAlarms } from '../../alarms/alarms.ts';
import type { Db } from '../../db/db.ts';
import type { RecorderParts } from '../parts.ts';
import { createPauses, dueOf } from '../pauses/pauses.ts';
import { proveOwnCall, proveOwnTask } from './whose.ts';

/**
 * Who tells: the holder of a Flex token, by way of one of our Functions, which signs, or of a browser. What may be done is
 * the token's to say in both cases; of a Function the clock alone is believed beside it.
 */
export interface Teller {
  by: 'function' | 'browser';
  viewer: Viewer;
}

/** The site's own wish, or how calls between agents are: kept, and no cause for alarm. */
const wanted: readonly NotRecordedReason[] = ['rule', 'on-demand', 'internal-call'];

/**
 * Takes a report, once: what it brings about is stored with it or not at all, and told again it changes nothing.
 * @throws CustodyError `not_your_call`, `task_unknown` (403); retryable where Twilio, the database or the audit log is away
 */
export async function receive(
  parts: RecorderParts,
  report: Report,
  teller: Teller,
  requestId: string,
  now: number = Date.now(),
): Promise<void> {
  if (report.kind === 'joined') return look(parts, report, teller);
  // Twilio is asked before the transaction: the embedded database has one session, which must not wait for anybody.
  const conference = await proven(parts, report, teller.viewer);
  const ofPause = conference !== undefined && (report.kind === 'paused' || report.kind === 'resumed');
  const isNew = await parts.db.transaction(async (db) => {
    if (!(await keep(db, report, teller, parts.settings, conference?.sid))) return false;
    if (report.kind === 'consent') await audit(db, report, teller, requestId);
    if (report.kind === 'not-recorded' && !wanted.includes(report.reason))
      await createAlarms(db).raise('not_recorded', undefined, report.reason);
    if (report.kind === 'double-recording')
      await createAlarms(db).raise('double_recording', undefined, 'flex-recording-on');
    if (ofPause) await tellPauses(parts, db, report, teller, now);
    return true;
  });
  if (isNew) parts.metrics.reported(report.kind, reasonOf(report), teller.by);
  // What was taken back counts at once, whatever the page does.
  if (report.kind === 'consent' && report.decision !== 'given' && conference)
    await stopStreams(parts.twilio, conference);
  // Told again it is sent again: the first time may have ended between the two.
  // Under a key of its own: the next look, which waits for its time, must not swallow one that is wanted now.
  if (ofPause) {
    const { conferenceSid } = report;
    await parts.queue.send('resume', { conferenceSid }, { once: `told:${conferenceSid}` });
  }
}

/**
 * What Twilio says of the teller's part in it: the live call where there is one, else the task.
 * @throws CustodyError `not_your_call`, `task_unknown` (403), or as TwilioApi does
 */
async function proven(
  { twilio }: RecorderParts,
  report: Report,
  viewer: Viewer,
): Promise<TwilioLiveConference | undefined> {
  if (report.kind === 'paused' || report.kind === 'resumed' || report.kind === 'consent') {
    const conference = await proveOwnCall(twilio, report, viewer);
    if (conference) return conference;
    // After the call somebody may still take a consent back, and give none.
    if (report.kind === 'consent' && report.decision === 'given')
      throw new CustodyError('not_your_call', 'there is no such call in progress');
  }
  await proveOwnTask(twilio, report.taskSid, viewer);
  return undefined;
}

/** It says where to look and nothing else, so that there is nothing to keep. */
async function look(
  { metrics, queue }: RecorderParts,
  { taskSid, conferenceSid }: Extract<Report, { kind: 'joined' }>,
  teller: Teller,
): Promise<void> {
  metrics.reported('joined', '', teller.by);
  const call = { taskSid, ...(conferenceSid && { conferenceSid }) };
  await queue.send('call', call, { once: conferenceSid ?? taskSid });
}

/** False where it is known already. */
async function keep(
  db: Pick<Db, 'query'>,
  report: Report,
  teller: Teller,
  { behavior }: RecorderParts['settings'],
  proven: ConferenceSid | undefined,
): Promise<boolean> {
  const { id, kind, at, taskSid, reservationSid, ...details } = report;
  // SIDs of recordings are Twilio's to say.
  const {
    recordings: _,
    conferenceSid,
    ...rest
  } = {
    recordings: undefined,
    conferenceSid: undefined,
    ...details,
  };
  const rows = await db.query<object>(
    `INSERT INTO reports (id, kind, at, task_sid, reservation_sid, worker_sid, conference_sid, details, by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING RETURNING id`,
    [
      id,
      kind,
      new Date(at),
      taskSid,
      reservationSid ?? null,
      teller.viewer.workerSid ?? null,
      // A consent counts for the call it was proven of, and for no other.
      (kind === 'consent' ? proven : conferenceSid) ?? null,
      // How the recording was paused decides whether its audio is shorter than the call.
      JSON.stringify(kind === 'paused' ? { ...rest, behavior } : rest),
      teller.by,
    ],
  );
  return rows.length > 0;
}

async function audit(
  db: Pick<Db, 'query'>,
  { callSid, taskSid, purpose, decision }: Extract<Report, { kind: 'consent' }>,
  teller: Teller,
  requestId: string,
): Promise<void> {
  await createAudit(db).record({
    viewer: teller.viewer,
    action: 'voice-consent',
    recordingSid: callSid ?? taskSid,
    allowed: decision === 'given',
    reason: `${purpose}:${decision}`,
    requestId,
  });
}

async function tellPauses(
  { settings }: RecorderParts,
  db: Pick<Db, 'query'>,
  report: Extract<Report, { kind: 'paused' | 'resumed' }>,
  teller: Teller,
  now: number,
): Promise<void> {
  const { conferenceSid, taskSid } = report;
  // A clock ahead of ours must not make every later report an old one.
  const at = Math.min(report.at, now);
  const told = { conferenceSid, taskSid, at: new Date(at) };
  const pauses = createPauses(db);
  if (report.kind === 'resumed') await pauses.resumed(told, teller.by);
  // A browser's clock may be wrong by hours: by ours, a pause that it reports is never too short.
  else await pauses.paused(told, [], dueOf(settings, teller.by === 'function' ? at : now));
}

const reasonOf = (report: Report): string =>
  report.kind === 'not-recorded' ? report.reason : report.kind === 'consent' ? report.decision : '';
