import { CustodyError, ownLeg, type Report } from '@flex-custody/core';
import type { TwilioLiveConference, Viewer } from '@flex-custody/twilio';
import type { RecorderTwilio } from '../parts.ts';

type OfConference = Extract<Report, { kind: 'paused' | 'resumed' }>;

/**
 * Proves by Twilio's facts alone that the holder of a token takes part in the call of which a browser reports, and that
 * the task is the call's: its mark and its end are what the host goes by.
 * @returns undefined where the call is over, so that there is nothing to prove, and nothing to do
 * @throws CustodyError `not_your_call` (403), or as TwilioApi does
 */
export async function proveOwnCall(
  twilio: Pick<RecorderTwilio, 'liveConference' | 'reservations'>,
  report: OfConference,
  viewer: Viewer,
): Promise<TwilioLiveConference | undefined> {
  const conference = await twilio.liveConference(report.conferenceSid);
  if (!conference) return undefined;
  const named = conference.friendlyName === report.taskSid;
  if (ownLeg(conference, viewer) && (named || (await hasTask(twilio, report, viewer)))) return conference;
  throw new CustodyError('not_your_call', "the token's holder has no part in this call and task", {
    status: 403,
  });
}

/** For a conference that is not named after its task, as Flex names them. */
async function hasTask(
  twilio: Pick<RecorderTwilio, 'reservations'>,
  { taskSid }: OfConference,
  { workerSid }: Viewer,
): Promise<boolean> {
  if (!workerSid) return false;
  return (await twilio.reservations(taskSid)).some((one) => one.workerSid === workerSid);
}
