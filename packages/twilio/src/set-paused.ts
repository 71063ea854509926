import {
  CustodyError,
  isRetryable,
  type LiveConference,
  type PauseState,
  type RecordingSid,
} from '@flex-custody/core';
import type {
  ListedRecording,
  PauseBehavior,
  RecordingChange,
  RecordingPlace,
  TwilioLive,
} from './live-api.ts';

/** These never become active again; of `processing` Twilio's lists do not say whether it is still running. */
const over: readonly ListedRecording['status'][] = ['stopped', 'completed', 'absent', 'deleted'];

interface Changed {
  recordingSid: RecordingSid;
  of: 'leg' | 'conference';
}

/**
 * Pauses or resumes every recording that is active in a conference: those of its legs and its own. Each by its SID, since
 * `Twilio.CURRENT` fails where several are active, and each that is not known to have ended, since Twilio's lists do not say
 * which are. Asking for the state that holds already changes nothing.
 * @param behavior what the recording contains for the time of the pause; ignored when resuming
 * @returns those that now are in the state asked for; empty where nothing is being recorded
 * @throws CustodyError as TwilioApi does, after everything that could be changed has been
 */
export async function setPaused(
  twilio: Pick<TwilioLive, 'recordingsOf' | 'changeRecording'>,
  conference: LiveConference,
  to: PauseState,
  behavior: PauseBehavior = 'silence',
): Promise<Changed[]> {
  const change: RecordingChange = to === 'paused' ? { status: to, behavior } : { status: 'in-progress' };
  // The conference first: a recording that a leg's list names too is then changed as the conference's.
  const places: RecordingPlace[] = [
    { conference: conference.sid },
    ...conference.legs.map((leg) => ({ call: leg.callSid })),
  ];
  const lists = await settled(places.map((place) => twilio.recordingsOf(place)));
  const found = new Map<string, { place: RecordingPlace; listed: ListedRecording }>();
  for (const [index, list] of lists.values.entries()) {
    for (const listed of list ?? []) {
      const place = places[index];
      if (place && !over.includes(listed.status) && !found.has(listed.recordingSid))
        found.set(listed.recordingSid, { place, listed });
    }
  }
  const active = [...found.values()];
  const answers = await settled(
    active.map(({ place, listed }) => twilio.changeRecording(place, listed.recordingSid, change)),
  );
  const error = worst([...lists.errors, ...answers.errors]);
  if (error !== undefined) throw error;
  return active.flatMap(({ place, listed }, index) =>
    answers.values[index] === 'ok'
      ? {
          recordingSid: listed.recordingSid,
          of: 'call' in place ? ('leg' as const) : ('conference' as const),
        }
      : [],
  );
}

async function settled<T>(all: Promise<T>[]): Promise<{ values: (T | undefined)[]; errors: unknown[] }> {
  const ends = await Promise.allSettled(all);
  return {
    values: ends.map((end) => (end.status === 'fulfilled' ? end.value : undefined)),
    errors: ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : [])),
  };
}

/** An error that a retry does not solve says more than an outage. */
function worst(errors: readonly unknown[]): unknown {
  return errors.find((error) => error instanceof CustodyError && !isRetryable(error)) ?? errors[0];
}
