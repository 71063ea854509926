import type { LiveConference } from '@flex-custody/core';
import type { TwilioLive } from './live-api.ts';

/**
 * Stops every stream of a conference that bears its leg's name, as the Functions start them. Best effort: Twilio cannot be
 * asked which streams run, so each leg is tried, and what fails is left to the next try.
 * @returns how many were stopped. Never throws.
 */
export async function stopStreams(
  twilio: Pick<TwilioLive, 'stopStream'>,
  conference: LiveConference,
): Promise<number> {
  const ends = await Promise.allSettled(
    conference.legs.map(({ callSid }) => twilio.stopStream(callSid, callSid)),
  );
  return ends.filter((end) => end.status === 'fulfilled' && end.value).length;
}
