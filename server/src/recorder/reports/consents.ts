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
 * Whether the caller of a live conference has consented, according to reports proven for this conference, and whether the
 * call is paused.
 * @throws CustodyError as TwilioApi and the database do; an error counts as no consent
 */
export async function consentOf(deps: RecorderDeps, conference: ConferenceSid): Promise<ConsentAnswer> {
  const { db, twilio, voiceConsent } = deps;
  const required = voiceConsent === 'required';
  const [decisions, pause] = await Promise.all([newest(deps, conference), createPauses(db).find(conference)]);
  const standing = decisions.length > 0 && decisions.every(({ decision }) => decision === 'given');
  if (lasting(pause)) return { required, standing, paused: true };
  // Without consent nothing is streamed, so the mark need not be read.
  if (required && !standing) return { required, standing, paused: false };
  const task =
    pause?.taskSid ??
    decisions[0]?.task ??
    asTaskSid((await twilio.liveConference(conference))?.friendlyName);
  return { required, standing, paused: task !== undefined && (await isMarked(deps, task)) };
}

/**
 * The newest decision by the clock of the reporter, and the one that arrived last. A consent that arrives after its
 * withdrawal does not count.
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

/** The task's mark shows a pause whose report has not arrived. */
async function isMarked({ twilio }: RecorderDeps, task: TaskSid): Promise<boolean> {
  const attributes = readAttributes((await twilio.task(task))?.attributes ?? '');
  return isPaused(readTaskMark(attributes));
}
