import { createHash } from 'node:crypto';
import {
  type CallControlRequest,
  CustodyError,
  errorCode,
  type PauseAnswer,
  type PauseState,
  pausedSince,
  reportKindOf,
  type TaskMark,
  type TaskSid,
  withoutPause,
  withPause,
} from '@flex-custody/core';
import {
  changeTaskMark,
  setPaused,
  stopStreams,
  type TwilioApi,
  type TwilioLive,
} from '@flex-custody/twilio';
import type { Deadline } from './deadline.ts';
import type { PauseConfig } from './flex-config.ts';
import type { FlexCall } from './flex-endpoint.ts';
import { pauseSettings, reported } from './host-live.ts';
import type { Answer } from './runtime.ts';
import { twilioOf } from './twilio-of.ts';
import { ownCall } from './whose-call.ts';

/** Kept free after the mark: for the report and the answer. */
const afterMarkMs = 3_000;
/** And of that for the answer alone. */
const answerMs = 500;

/**
 * Pauses or resumes everything that is recorded of the caller's call, marks the task so that others see it, and tells the
 * host. First the silence, then who knows of it: neither a full task nor an absent host keeps a card number on the record.
 */
export async function setPause(
  to: PauseState,
  asked: CallControlRequest,
  { config, viewer, token, deadline, log }: FlexCall<PauseConfig>,
): Promise<Answer> {
  // Before the SDK is loaded, which takes this thread longer than the host has.
  const settings = to === 'paused' ? await pauseSettings(config, deadline) : undefined;
  if (settings?.enabled === false) throw new CustodyError('pause_disabled', 'pausing is switched off');
  const twilio = twilioOf(config);
  const { conference, workerSid } = await ownCall(twilio, viewer, asked);
  // Beside the recordings, and never in their way: the card number is not for the vendor either.
  const streams = to === 'paused' ? stopStreams(twilio, conference) : Promise.resolve(0);
  const recordings = await setPaused(twilio, conference, to, settings?.behavior);
  if (recordings.length === 0)
    throw new CustodyError('nothing_recorded', 'nothing of this call is being recorded');

  const now = Date.now();
  const change = (mark: TaskMark) =>
    to === 'paused' ? withPause(mark, { since: now, by: workerSid }) : withoutPause(mark);
  const { before, mark, code } = await markedInTime(twilio, asked.taskSid, deadline, change);
  const since = sane(mark, now) ?? now;
  const at = to === 'paused' ? since : now;
  const report = {
    // Asked twice about one pause, the host counts it once.
    id: uuidOf(`${to} ${conference.sid} ${to === 'paused' ? since : (sane(before, now) ?? now)}`),
    at,
    taskSid: asked.taskSid,
    reservationSid: asked.reservationSid,
    kind: reportKindOf[to],
    conferenceSid: conference.sid,
  };
  const [heard] = await Promise.all([reported(config, deadline, report, token), inTime(deadline, streams)]);
  log({ outcome: to, count: recordings.length, ...(code ? { code } : {}) });
  const conferences = recordings.filter(({ of }) => of === 'conference').length;
  const answer: PauseAnswer = {
    state: to,
    ...(to === 'paused' ? { since } : {}),
    recordings: { legs: recordings.length - conferences, conference: conferences },
    reported: heard,
    marked: mark !== undefined,
  };
  return { status: 200, body: { ...answer } };
}

/** Attributes are a browser's to write: a beginning that no pause of a live call can have must not cost the report. */
function sane(mark: TaskMark | undefined, now: number): number | undefined {
  const since = mark && pausedSince(mark);
  return since !== undefined && since > now - 86_400_000 && since <= now + 60_000 ? since : undefined;
}

/** Waits for work that is best effort no longer than there is time to answer. */
async function inTime(deadline: Deadline, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, deadline.left() - answerMs));
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

/** The mark if it could be set in the time there is; what it says has been done, and is not undone for want of it. */
async function markedInTime(
  twilio: TwilioApi & TwilioLive,
  task: TaskSid,
  deadline: Deadline,
  change: (mark: TaskMark) => TaskMark,
): Promise<{ before: TaskMark; mark?: TaskMark; code?: string }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<{ before: TaskMark; code: string }>((resolve) => {
    const limit = Math.max(0, deadline.left() - afterMarkMs);
    timer = setTimeout(() => resolve({ before: {}, code: 'task-late' }), limit);
  });
  const marking = changeTaskMark(twilio, task, change).then(
    ({ changed, ...found }) => (found.mark ? found : { ...found, code: `task-${changed}` }),
    (error: unknown) => ({ before: {}, code: errorCode(error) }),
  );
  return Promise.race([marking, late]).finally(() => clearTimeout(timer));
}

/** A UUID made of a name (version 8, RFC 9562), the same whenever it is made. */
function uuidOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-');
}
