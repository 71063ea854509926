import { type ConferenceSid, CustodyError, type NotRecordedReason, type Report } from '@flex-custody/core';
import { stopStreams, type TwilioLiveConference, type Viewer } from '@flex-custody/twilio';
import { createAudit } from '../../access/audit.ts';
import { createAlarms } from '../../alarms/alarms.ts';
import type { Db } from '../../db/db.ts';
import type { RecorderDeps } from '../deps.ts';
import { recorderJobs } from '../jobs.ts';
import { createPauses, dueOf } from '../pauses/pauses.ts';
import { proveOwnCall, proveOwnTask } from './whose.ts';

/**
 * Who tells: the holder of a Flex token, by way of one of our Functions, which signs, or of a browser. What may be done is
 * the token's to say in both cases; of a Function the clock alone is believed beside it.
 */
export interface Reporter {
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
  deps: RecorderDeps,
  report: Report,
  reporter: Reporter,
  requestId: string,
  now: number = Date.now(),
): Promise<void> {
  if (report.kind === 'joined') return look(deps, report, reporter);
  // Twilio is asked before the transaction: the embedded database has one session, which must not wait for anybody.
  const conference = await proven(deps, report, reporter.viewer);
  const ofPause = conference !== undefined && (report.kind === 'paused' || report.kind === 'resumed');
  const isNew = await deps.db.transaction(async (db) => {
    if (!(await keep(db, report, reporter, deps.settings, conference?.sid))) return false;
    if (report.kind === 'consent') await audit(db, report, reporter, requestId);
    if (report.kind === 'not-recorded' && !wanted.includes(report.reason))
      await createAlarms(db).raise('not_recorded', undefined, report.reason);
    if (report.kind === 'double-recording')
      await createAlarms(db).raise('double_recording', undefined, 'flex-recording-on');
    if (ofPause) await tellPauses(deps, db, report, reporter, now);
    return true;
  });
  if (isNew) deps.metrics.reported(report.kind, reasonOf(report), reporter.by);
  // What was taken back counts at once, whatever the page does.
  if (report.kind === 'consent' && report.decision !== 'given' && conference)
    await stopStreams(deps.twilio, conference);
  // Told again it is sent again: the first time may have ended between the two.
  // Under a key of its own: the next look, which waits for its time, must not swallow one that is wanted now.
  if (ofPause) {
    const { conferenceSid } = report;
    await deps.queue.send(recorderJobs.watchPause, { conferenceSid }, { once: 'reported' });
  }
}

/**
 * What Twilio says of the reporter's part in it: the live call where there is one, else the task.
 * @throws CustodyError `not_your_call`, `task_unknown` (403), or as TwilioApi does
 */
async function proven(
  { twilio }: RecorderDeps,
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
  { metrics, queue }: RecorderDeps,
  { taskSid, conferenceSid }: Extract<Report, { kind: 'joined' }>,
  reporter: Reporter,
): Promise<void> {
  metrics.reported('joined', '', reporter.by);
  const call = { taskSid, ...(conferenceSid && { conferenceSid }) };
  await queue.send(recorderJobs.call, call);
}

/** False where it is known already. */
async function keep(
  db: Pick<Db, 'query'>,
  report: Report,
  reporter: Reporter,
  { behavior }: RecorderDeps['settings'],
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
      reporter.viewer.workerSid ?? null,
      // A consent counts for the call it was proven of, and for no other.
      (kind === 'consent' ? proven : conferenceSid) ?? null,
      // How the recording was paused decides whether its audio is shorter than the call.
      JSON.stringify(kind === 'paused' ? { ...rest, behavior } : rest),
      reporter.by,
    ],
  );
  return rows.length > 0;
}

async function audit(
  db: Pick<Db, 'query'>,
  { callSid, taskSid, purpose, decision }: Extract<Report, { kind: 'consent' }>,
  reporter: Reporter,
  requestId: string,
): Promise<void> {
  await createAudit(db).record({
    viewer: reporter.viewer,
    action: 'voice-consent',
    subject: callSid ? { kind: 'call', sid: callSid } : { kind: 'task', sid: taskSid },
    allowed: decision === 'given',
    reason: `${purpose}:${decision}`,
    requestId,
  });
}

async function tellPauses(
  { settings }: RecorderDeps,
  db: Pick<Db, 'query'>,
  report: Extract<Report, { kind: 'paused' | 'resumed' }>,
  reporter: Reporter,
  now: number,
): Promise<void> {
  const { conferenceSid, taskSid } = report;
  // A clock ahead of ours must not make every later report an old one.
  const at = Math.min(report.at, now);
  const told = { conferenceSid, taskSid, at: new Date(at) };
  const pauses = createPauses(db);
  if (report.kind === 'resumed') await pauses.resumed(told, reporter.by);
  // A browser's clock may be wrong by hours: by ours, a pause that it reports is never too short.
  else await pauses.paused(told, [], dueOf(settings, reporter.by === 'function' ? at : now));
}

const reasonOf = (report: Report): string =>
  report.kind === 'not-recorded' ? report.reason : report.kind === 'consent' ? report.decision : '';
