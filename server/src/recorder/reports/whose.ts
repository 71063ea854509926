import {
  type ConferenceSid,
  CustodyError,
  hasLeg,
  ownLeg,
  type Report,
  type TaskSid,
} from '@flex-custody/core';
import type { TwilioLiveConference, Viewer } from '@flex-custody/twilio';
import type { RecorderTwilio } from '../deps.ts';

type OfCall = Extract<Report, { kind: 'paused' | 'resumed' | 'held' | 'unheld' | 'consent' }>;
type Twilio = Pick<RecorderTwilio, 'liveConference' | 'liveConferences' | 'reservations'>;

/**
 * Proves with Twilio's facts alone that the holder of a token takes part in the reported live call, and that the task is
 * the call's: the host relies on the task's mark and end.
 * @returns undefined if the call has ended: then there is nothing to prove or to do
 * @throws CustodyError `not_your_call` (403), or as TwilioApi does
 */
export async function proveOwnCall(
  twilio: Twilio,
  report: OfCall,
  viewer: Viewer,
): Promise<TwilioLiveConference | undefined> {
  const found = (
    await Promise.all((await placesOf(twilio, report)).map((sid) => twilio.liveConference(sid)))
  ).filter((conference) => conference !== undefined);
  if (found.length === 0) return undefined;
  const callSid = 'callSid' in report ? report.callSid : undefined;
  for (const conference of found) {
    const takesPart = ownLeg(conference, viewer) && (callSid === undefined || hasLeg(conference, callSid));
    const named = conference.friendlyName === report.taskSid;
    if (takesPart && (named || (await hasReservation(twilio, report.taskSid, viewer)))) return conference;
  }
  throw new CustodyError('not_your_call', "the token's holder does not take part in this call and task");
}

/** A consent may lack the conference's SID; Flex names the conference after the task. */
async function placesOf(twilio: Twilio, report: OfCall): Promise<ConferenceSid[]> {
  if (report.conferenceSid) return [report.conferenceSid];
  return twilio.liveConferences(report.taskSid);
}

/**
 * Proves that the holder of a token has, or had, a reservation of the task.
 * @throws CustodyError `task_unknown` (403), or as TwilioApi does
 */
export async function proveOwnTask(
  twilio: Pick<RecorderTwilio, 'reservations'>,
  taskSid: TaskSid,
  viewer: Viewer,
): Promise<void> {
  if (await hasReservation(twilio, taskSid, viewer)) return;
  throw new CustodyError('task_unknown', "the token's holder has no reservation of such a task");
}

async function hasReservation(
  twilio: Pick<RecorderTwilio, 'reservations'>,
  taskSid: TaskSid,
  { workerSid }: Viewer,
): Promise<boolean> {
  if (!workerSid) return false;
  return (await twilio.reservations(taskSid)).some((one) => one.workerSid === workerSid);
}
