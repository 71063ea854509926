import {
  type ConferenceSid,
  CustodyError,
  type NotRecordedReason,
  ownLeg,
  type PauseSettings,
  type Report,
} from '@flex-custody/core';
import { stopStreams, type TwilioLiveConference, type Viewer } from '@flex-custody/twilio';
import { createAudit } from '../../access/audit.ts';
import { createAlarms } from '../../alarms/alarms.ts';
import type { Db } from '../../db/db.ts';
import type { RecorderDeps } from '../deps.ts';
import { recorderJobs } from '../jobs.ts';
import { createPauses, dueOf } from '../pauses/pauses.ts';
import { addToInbox, type CheckedReport } from './own-report.ts';
import { proveOwnCall, proveOwnTask } from './whose.ts';

/**
 * The reporter: the holder of a Flex token, through one of our Functions, which signs, or through a browser. In both
 * cases the token decides what is allowed. A Function is trusted only for its clock in addition.
 */
export interface Reporter {
  by: 'function' | 'browser';
  viewer: Viewer;
}

/** Reasons that the site's settings intend, or that apply to calls between agents: stored without an alarm. */
const wanted: readonly NotRecordedReason[] = ['rule', 'on-demand', 'internal-call'];

/**
 * Processes a report once: its effects are stored in one transaction with it, and a repeated report changes nothing.
 * @throws CustodyError `not_your_call`, `task_unknown` (403); retryable if Twilio, the database or the audit log is
 * unavailable
 */
export async function receive(
  deps: RecorderDeps,
  report: Report,
  reporter: Reporter,
  requestId: string,
  now: number = Date.now(),
): Promise<void> {
  if (report.kind === 'joined') return look(deps, report, reporter);
  // Twilio is asked before the transaction: the embedded database has one session, which must not wait for a request.
  const conference = await proven(deps, report, reporter.viewer);
  if (report.kind === 'held' || report.kind === 'unheld')
    return hold(deps, report, reporter, conference, now);
  const ofPause = conference !== undefined && (report.kind === 'paused' || report.kind === 'resumed');
  const settings = await deps.settings();
  const isNew = await deps.db.transaction(async (db) => {
    if (!(await keep(db, report, reporter, settings, conference?.sid))) return false;
    if (report.kind === 'consent') await audit(db, report, reporter, requestId);
    if (report.kind === 'not-recorded' && !wanted.includes(report.reason))
      await createAlarms(db).raise('not_recorded', undefined, report.reason);
    if (report.kind === 'double-recording')
      await createAlarms(db).raise('double_recording', undefined, 'flex-recording-on');
    if (ofPause) await updatePauses(settings, db, report, reporter, now);
    return true;
  });
  if (isNew) deps.metrics.reported(report.kind, reasonOf(report), reporter.by);
  // A withdrawal takes effect at once, whatever the browser does.
  if (report.kind === 'consent' && report.decision !== 'given' && conference)
    await stopStreams(deps.twilio, conference);
  // A repeated report sends the job again, because the process may have ended between transaction and job. The job has a
  // key of its own, so that the next scheduled look does not replace this immediate one.
  if (ofPause) {
    const { conferenceSid } = report;
    await deps.queue.send(recorderJobs.watchPause, { conferenceSid }, { once: 'reported' });
  }
  // So does the event for the sessions, which the inbox stores once.
  if (report.kind === 'paused' || report.kind === 'resumed')
    await addToInbox(deps, {
      ...checked(report, reporter, conference, now),
      callSid: conference && ownLeg(conference, reporter.viewer),
    });
}

/**
 * Proves the reporter's part with Twilio: in the live call if there is one, otherwise in the task.
 * @throws CustodyError `not_your_call`, `task_unknown` (403), or as TwilioApi does
 */
async function proven(
  { twilio }: RecorderDeps,
  report: Exclude<Report, { kind: 'joined' }>,
  viewer: Viewer,
): Promise<TwilioLiveConference | undefined> {
  if (report.kind !== 'not-recorded' && report.kind !== 'double-recording') {
    const conference = await proveOwnCall(twilio, report, viewer);
    if (conference) return conference;
    // After the call a consent may be withdrawn, but not given.
    if (report.kind === 'consent' && report.decision === 'given')
      throw new CustodyError('not_your_call', 'no such call is in progress');
  }
  await proveOwnTask(twilio, report.taskSid, viewer);
  return undefined;
}

/** Handles a report of a joined call: it names only a place to look at, so nothing is stored. */
async function look(
  { metrics, queue }: RecorderDeps,
  { taskSid, conferenceSid }: Extract<Report, { kind: 'joined' }>,
  reporter: Reporter,
): Promise<void> {
  metrics.reported('joined', '', reporter.by);
  const call = { taskSid, ...(conferenceSid && { conferenceSid }) };
  await queue.send(recorderJobs.call, call);
}

/**
 * Handles a report of a hold: it is an event for the sessions, and nothing else follows from it. After the call there is no hold
 * whose agent Twilio could confirm.
 */
async function hold(
  deps: RecorderDeps,
  report: Extract<Report, { kind: 'held' | 'unheld' }>,
  reporter: Reporter,
  conference: TwilioLiveConference | undefined,
  now: number,
): Promise<void> {
  if (!conference) return;
  const { callSid } = report;
  const isNew = await addToInbox(deps, { ...checked(report, reporter, conference, now), callSid });
  if (isNew) deps.metrics.reported(report.kind, '', reporter.by);
}

const checked = (
  { id, kind, at, taskSid, reservationSid }: Extract<Report, { kind: CheckedReport['kind'] }>,
  { viewer: { workerSid } }: Reporter,
  conference: TwilioLiveConference | undefined,
  now: number,
): CheckedReport => ({ id, kind, at: Math.min(at, now), taskSid, reservationSid, workerSid, conference });

/** Stores the report; false if it is stored already. */
async function keep(
  db: Pick<Db, 'query'>,
  report: Report,
  reporter: Reporter,
  { behavior }: PauseSettings,
  proven: ConferenceSid | undefined,
): Promise<boolean> {
  const { id, kind, at, taskSid, reservationSid, ...details } = report;
  // The SIDs of recordings come from Twilio only, so they are left out.
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
      // A consent counts only for the call for which it was proven.
      (kind === 'consent' ? proven : conferenceSid) ?? null,
      // The pause's behavior decides whether the audio is shorter than the call.
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

async function updatePauses(
  settings: PauseSettings,
  db: Pick<Db, 'query'>,
  report: Extract<Report, { kind: 'paused' | 'resumed' }>,
  reporter: Reporter,
  now: number,
): Promise<void> {
  const { conferenceSid, taskSid } = report;
  // A reporter's clock that is ahead of ours must not make later reports look old.
  const at = Math.min(report.at, now);
  const reported = { conferenceSid, taskSid, at: new Date(at) };
  const pauses = createPauses(db);
  if (report.kind === 'resumed') await pauses.resumed(reported, reporter.by);
  // A browser's clock may be wrong by hours: the host's clock is used, so that a reported pause is never too short.
  else await pauses.paused(reported, [], dueOf(settings, reporter.by === 'function' ? at : now));
}

const reasonOf = (report: Report): string =>
  report.kind === 'not-recorded' ? report.reason : report.kind === 'consent' ? report.decision : '';
