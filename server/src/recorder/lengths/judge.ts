/** What is known of a recording and its leg. Times are epoch ms. */
export interface LengthFacts {
  startedAt: number;
  /** When the recorded leg ended, by Twilio's Call; undefined: it lasts, or Twilio does not say. */
  legEndedAt?: number;
  /** The leg was dialled to an agent's Voice client, so it is that agent's part of the call and no other's. */
  isAgentsLeg: boolean;
  /** The segment of the recording's proven reservation, by the kept contact. */
  segment?: { endedAt?: number };
  /** When the next recording of the same segment or leg began: it continues this one. */
  nextStartedAt?: number;
}

/** `later`: the leg or the segment lasts, or its end is not known yet. `unknown`: nothing says until when the recording should last. */
export type ExpectedEnd = { until: number } | 'later' | 'unknown';

/**
 * Until when a recording should last: to the end of its leg, or of its agent's segment if that ended earlier, since another agent may
 * have taken over the call; or until another recording continues it. A leg of a customer or of a conference passes through several
 * agents, queues and menus, so without its segment nothing is expected of it. What came before the recording began, such as the
 * wait in a queue, never counts.
 */
export function expectedEnd(facts: LengthFacts): ExpectedEnd {
  const { isAgentsLeg, legEndedAt, nextStartedAt, segment, startedAt } = facts;
  if (!segment && !isAgentsLeg) return 'unknown';
  const ends = [legEndedAt, segment?.endedAt].filter((end) => end !== undefined);
  if (ends.length === 0) return 'later';
  const continued = nextStartedAt !== undefined && nextStartedAt > startedAt ? [nextStartedAt] : [];
  return { until: Math.max(startedAt, Math.min(...ends, ...continued)) };
}

/** Twilio states starts and lengths in whole seconds. */
const slackSeconds = 2;
const slackPart = 0.02;

/**
 * By how many seconds a recording is too short; 0 within 2 seconds or 2 % of what is expected.
 * @param skippedSeconds of pauses that leave out audio, within the expected time
 */
export function missingSeconds(
  expectedSeconds: number,
  skippedSeconds: number,
  durationSeconds: number,
): number {
  const expected = Math.max(0, expectedSeconds - skippedSeconds);
  const missing = expected - durationSeconds;
  return missing > slackSeconds && missing > slackPart * expected ? missing : 0;
}
