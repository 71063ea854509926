import {
  type CallSid,
  type ConferenceSid,
  CustodyError,
  errorCode,
  type RecordingSid,
  type StartRecordingAnswer,
  type WantedRecording,
} from '@flex-custody/core';
import type { ListedRecording, RecordingChange, RecordingPlace, TwilioLive } from '@flex-custody/twilio';
import type { Deadline } from './deadline.ts';

/** What is to be recorded, and where Twilio keeps it. */
export interface Wanted {
  want: WantedRecording;
  leg: CallSid;
  conference: ConferenceSid;
  /** It was asked for before: that Twilio's list does not have it may be the list's delay. */
  expected: boolean;
  /** Off the record: a recording that is there unexpectedly is paused, which shows that it is live. */
  paused: boolean;
}

export interface Means {
  twilio: Pick<TwilioLive, 'recordingsOf' | 'startRecording' | 'changeRecording'>;
  /** Where Twilio posts the end of the recording to. */
  callback: string;
  deadline: Deadline;
  wait(ms: number): Promise<void>;
  log(fields: Record<string, unknown>): void;
}

interface Found extends ListedRecording {
  of: WantedRecording;
}

/** Until the pause itself is asked for, which knows the site's own behaviour. */
export const pausedNow: RecordingChange = { status: 'paused', behavior: 'silence' };

const over: ReadonlySet<string> = new Set(['stopped', 'completed', 'absent', 'deleted', 'failed']);

/** Between looks at a list that should have the recording, ms. */
const lookAgainMs = [1_000, 2_000];
/** No further look after this, so that a start, a mark and an answer fit into what the browser waits. */
const lookUntilMs = 4_500;
/** A recording that was there before ours is in the list by then, if at all. */
const afterStartMs = 1_000;
const afterStartUntilMs = 6_000;

/** The recording that is wanted, where Twilio has it; the earliest of several. */
export async function presentRecording(wanted: Wanted, means: Means): Promise<Found | undefined> {
  const { deadline, wait } = means;
  let found = await present(wanted, means);
  for (const ms of wanted.expected ? lookAgainMs : []) {
    if (found || deadline.elapsed() + ms > lookUntilMs) break;
    await wait(ms);
    found = await present(wanted, means);
  }
  return found;
}

async function present(wanted: Wanted, { twilio }: Means): Promise<Found | undefined> {
  const found = await active(twilio, wanted);
  // Where it may be paused already: Twilio might refuse what holds, and the answer say nothing.
  if (!wanted.paused || wanted.expected) return found[0];
  const live = await Promise.all(found.map((one) => isLive(twilio, wanted, one, pausedNow)));
  return found.find((_one, index) => live[index]);
}

/**
 * One that has just ended is `processing` too, and only the answer to a change distinguishes them.
 * @param state that it has, or is to have
 */
async function isLive(
  twilio: Means['twilio'],
  { leg, conference }: Wanted,
  { of, recordingSid }: Found,
  state: RecordingChange,
): Promise<boolean> {
  const place = of === 'leg' ? { call: leg } : { conference };
  return (await twilio.changeRecording(place, recordingSid, state)) === 'ok';
}

/**
 * Starts the recording of the leg.
 * @throws CustodyError `call_not_live` (404) where the call is over
 */
export async function newRecording({ leg }: Wanted, { twilio, callback }: Means): Promise<RecordingSid> {
  const recordingSid = await twilio.startRecording(leg, callback);
  if (recordingSid) return recordingSid;
  throw new CustodyError('call_not_live', 'the call has just ended');
}

/**
 * Looks once more after a start: a recording that was there first, which the list did not have before, is the answer, and
 * the one just started is stopped. Two processes that started at once agree on which was first.
 * @param state of the call's recordings; undefined where it is not known: then two recordings are better than none
 */
export async function onlyOne(
  wanted: Wanted,
  ours: RecordingSid,
  state: RecordingChange | undefined,
  { twilio, deadline, wait, log }: Means,
): Promise<StartRecordingAnswer> {
  const { leg } = wanted;
  const answer = { recordingSid: ours, callSid: leg, started: true, of: 'leg' as const };
  if (!state || deadline.elapsed() + afterStartMs > afterStartUntilMs) return answer;
  try {
    await wait(afterStartMs);
    const found = await active(twilio, wanted);
    // Without ours in the list it is not known which was first.
    const place = found.findIndex(({ recordingSid }) => recordingSid === ours);
    const older = found.slice(0, Math.max(0, place));
    for (const one of older) {
      if (!one.createdAt || !(await isLive(twilio, wanted, one, state))) continue;
      await twilio.changeRecording({ call: leg }, ours, { status: 'stopped' });
      log({ outcome: 'stopped', recording: ours, kept: one.recordingSid, call: leg });
      return { recordingSid: one.recordingSid, callSid: leg, started: false, of: one.of };
    }
  } catch (error) {
    // It is recorded, perhaps twice.
    log({ outcome: 'not-looked-again', code: errorCode(error) });
  }
  return answer;
}

/** What has not ended, the earliest first; of one second, by SID. */
async function active(twilio: Means['twilio'], { want, leg, conference }: Wanted): Promise<Found[]> {
  const places: [RecordingPlace, WantedRecording][] = [[{ call: leg }, 'leg']];
  if (want === 'conference') places.unshift([{ conference }, 'conference']);
  const lists = await Promise.all(
    places.map(async ([place, of]) => (await twilio.recordingsOf(place)).map((one) => ({ ...one, of }))),
  );
  const seen = new Map<RecordingSid, Found>();
  // A recording of the conference may be in a leg's list too.
  for (const one of lists.flat())
    if (!over.has(one.status) && !seen.has(one.recordingSid)) seen.set(one.recordingSid, one);
  return [...seen.values()].sort(
    (a, b) => timeOf(a) - timeOf(b) || (a.recordingSid < b.recordingSid ? -1 : 1),
  );
}

const timeOf = ({ createdAt }: ListedRecording): number => createdAt?.getTime() ?? Number.MAX_SAFE_INTEGER;
