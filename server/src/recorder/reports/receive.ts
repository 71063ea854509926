import type { NotRecordedReason, Report } from '@flex-custody/core';
import type { Viewer } from '@flex-custody/twilio';
import { createAudit, ownFunction } from '../../access/audit.ts';
import { createAlarms } from '../../catalog/alarms.ts';
import type { Db } from '../../db.ts';
import type { RecorderParts } from '../parts.ts';
import { createPauses, dueOf } from '../pauses/pauses.ts';
import { proveOwnCall } from './whose.ts';

/** Who tells: one of our Functions, whose word holds, or a browser, whose word is a hint. */
export type Teller = { by: 'function' } | { by: 'browser'; viewer: Viewer };

/** The site's own wish, or how calls between agents are: kept, and no cause for alarm. */
const wanted: readonly NotRecordedReason[] = ['rule', 'on-demand', 'internal-call'];

/**
 * Takes a report, once: what it brings about is stored with it or not at all, and told again it changes nothing.
 * @throws CustodyError `not_your_call` (403); retryable where Twilio, the database or the audit log is away
 */
export async function receive(
  parts: RecorderParts,
  report: Report,
  teller: Teller,
  requestId: string,
  now: number = Date.now(),
): Promise<void> {
  if (report.kind === 'joined') return look(parts, report, teller);
  const ofPause = report.kind === 'paused' || report.kind === 'resumed';
  // Twilio is asked before the transaction: the embedded database has one session, which must not wait for anybody.
  const live =
    !ofPause ||
    teller.by === 'function' ||
    (await proveOwnCall(parts.twilio, report, teller.viewer)) !== undefined;
  const isNew = await parts.db.transaction(async (db) => {
    if (!(await keep(db, report, teller))) return false;
    if (report.kind === 'consent') await audit(db, report, teller, requestId);
    if (report.kind === 'not-recorded' && !wanted.includes(report.reason))
      await createAlarms(db).raise('not_recorded', undefined, report.reason);
    if (report.kind === 'double-recording')
      await createAlarms(db).raise('double_recording', undefined, 'flex-recording-on');
    if (ofPause && live) await tellPauses(parts, db, report, teller, now);
    return true;
  });
  if (isNew) parts.metrics.reported(report.kind, reasonOf(report), teller.by);
  // Told again it is sent again: the first time may have ended between the two.
  // Under a key of its own: the next look, which waits for its time, must not swallow one that is wanted now.
  if (ofPause && live) {
    const { conferenceSid } = report;
    await parts.queue.send('resume', { conferenceSid }, { once: `told:${conferenceSid}` });
  }
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
async function keep(db: Pick<Db, 'query'>, report: Report, teller: Teller): Promise<boolean> {
  const { id, kind, at, taskSid, reservationSid, ...details } = report;
  const { workerSid, conferenceSid, ...rest } = {
    workerSid: undefined,
    conferenceSid: undefined,
    ...details,
  };
  const worker = teller.by === 'browser' ? teller.viewer.workerSid : workerSid;
  const rows = await db.query<object>(
    `INSERT INTO reports (id, kind, at, task_sid, reservation_sid, worker_sid, conference_sid, details, by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING RETURNING id`,
    [
      id,
      kind,
      new Date(at),
      taskSid,
      reservationSid ?? null,
      worker ?? null,
      conferenceSid ?? null,
      JSON.stringify(rest),
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
    viewer: teller.by === 'browser' ? teller.viewer : ownFunction,
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
  const { conferenceSid, taskSid, recordings } = report;
  // A clock ahead of ours must not make every later report an old one.
  const at = Math.min(report.at, now);
  const told = { conferenceSid, taskSid, at: new Date(at) };
  const pauses = createPauses(db);
  if (report.kind === 'resumed') await pauses.resumed(told, teller.by);
  // A browser's clock may be wrong by hours: by ours, a pause that it reports is never too short.
  else await pauses.paused(told, recordings, dueOf(settings, teller.by === 'function' ? at : now));
}

const reasonOf = (report: Report): string =>
  report.kind === 'not-recorded' ? report.reason : report.kind === 'consent' ? report.decision : '';
