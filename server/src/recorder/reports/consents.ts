import {
  asTaskSid,
  type ConferenceSid,
  type ConsentAnswer,
  isPaused,
  readTaskMark,
  type TaskSid,
} from '@flex-custody/core';
import { readAttributes } from '@flex-custody/twilio';
import type { RecorderDeps } from '../deps.ts';
import { createPauses, lasting } from '../pauses/pauses.ts';

/**
 * Whether the caller of a live conference has agreed, as reports that were proven of it say, and whether it is paused.
 * @throws CustodyError as TwilioApi and the database do: what cannot be known is no consent
 */
export async function consentOf(deps: RecorderDeps, conference: ConferenceSid): Promise<ConsentAnswer> {
  const { db, twilio, voiceConsent } = deps;
  const required = voiceConsent === 'required';
  const [decisions, pause] = await Promise.all([newest(deps, conference), createPauses(db).find(conference)]);
  const standing = decisions.length > 0 && decisions.every(({ decision }) => decision === 'given');
  if (lasting(pause)) return { required, standing, paused: true };
  // Without a right to stream, the mark decides nothing.
  if (required && !standing) return { required, standing, paused: false };
  const task =
    pause?.taskSid ??
    decisions[0]?.task ??
    asTaskSid((await twilio.liveConference(conference))?.friendlyName);
  return { required, standing, paused: task !== undefined && (await isMarked(deps, task)) };
}

/**
 * The newest decision by the clock of those who decided, and the one that arrived last: a consent that comes late, after it
 * was taken back, is none.
 */
async function newest(
  { db }: RecorderDeps,
  conference: ConferenceSid,
): Promise<{ decision: string; task: TaskSid }[]> {
  const by = (order: string) =>
    `(SELECT details->>'decision' AS decision, task_sid AS task FROM reports
      WHERE kind = 'consent' AND conference_sid = $1 ORDER BY ${order} DESC, id LIMIT 1)`;
  return db.query(`${by('at')} UNION ALL ${by('received_at')}`, [conference]);
}

/** The task's mark tells of a pause whose report has not arrived. */
async function isMarked({ twilio }: RecorderDeps, task: TaskSid): Promise<boolean> {
  const attributes = readAttributes((await twilio.task(task))?.attributes ?? '');
  return isPaused(readTaskMark(attributes));
}
