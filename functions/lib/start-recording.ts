import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CallSid,
  errorCode,
  isPaused,
  type RecordingSid,
  recordingCallbackUrl,
  type StartRecordingAnswer,
  type StartRecordingRequest,
} from '@flex-custody/core';
import { changeTaskMark, type RecordingChange, type TwilioApi, type TwilioLive } from '@flex-custody/twilio';
import type { StartConfig } from './flex-config.ts';
import type { FlexCall } from './flex-endpoint.ts';
import {
  type Means,
  newRecording,
  onlyOne,
  pausedNow,
  presentRecording,
  type Wanted,
} from './missing-recording.ts';
import type { Answer } from './runtime.ts';
import { twilioOf } from './twilio-of.ts';
import { ownCall } from './whose-call.ts';

/** Starts under way in this process, by leg: a second click finds the first one's. */
const underway = new Map<CallSid, Promise<StartRecordingAnswer>>();

/** Answers with what Twilio records of the asker's call; where that is missing, records the asker's own leg. */
export async function startRecording(
  asked: StartRecordingRequest,
  { config, viewer, deadline, log }: FlexCall<StartConfig>,
  wait: (ms: number) => Promise<void> = sleep,
): Promise<Answer> {
  const twilio = twilioOf(config);
  const { conference, leg } = await ownCall(twilio, viewer, asked);
  const { want, expected, paused } = asked;
  const wanted: Wanted = { want, expected, paused, leg, conference: conference.sid };
  const means: Means = {
    twilio,
    callback: recordingCallbackUrl(config.functionsUrl, asked),
    deadline,
    wait,
    log,
  };
  const already = underway.get(leg);
  const starting = already ?? recorded(twilio, wanted, asked, means).finally(() => underway.delete(leg));
  underway.set(leg, starting);
  const answer = already ? { ...(await starting), started: false } : await starting;
  log({ outcome: answer.started ? 'started' : 'same', recording: answer.recordingSid, call: leg });
  return { status: 200, body: { ...answer } };
}

async function recorded(
  twilio: TwilioApi & TwilioLive,
  wanted: Wanted,
  asked: StartRecordingRequest,
  means: Means,
): Promise<StartRecordingAnswer> {
  const { leg } = wanted;
  const present = await presentRecording(wanted, means);
  if (present) return { recordingSid: present.recordingSid, callSid: leg, started: false, of: present.of };
  const ours = await newRecording(wanted, means);
  // Who asks for silence is about to hear a card number: first that, then who knows of the recording.
  if (asked.paused) await twilio.changeRecording({ call: leg }, ours, pausedNow);
  return onlyOne(wanted, ours, await marked(twilio, ours, leg, asked, means), means);
}

/**
 * Marks the task, and pauses the recording where the task says that the call is paused.
 * @returns the state of the call's recordings; undefined where the task does not say
 */
async function marked(
  twilio: TwilioApi & TwilioLive,
  recordingSid: RecordingSid,
  leg: CallSid,
  { taskSid, paused }: StartRecordingRequest,
  { log }: Means,
): Promise<RecordingChange | undefined> {
  const started = Date.now();
  const { mark, code } = await changeTaskMark(twilio, taskSid, (found) => ({ ...found, started })).then(
    (end) => ({ mark: end.mark ?? end.before, code: end.mark ? undefined : `task-${end.changed}` }),
    (error: unknown) => ({ mark: undefined, code: errorCode(error) }),
  );
  // It is recorded, marked or not.
  if (code) log({ outcome: 'not-marked', code });
  // Unless the call is paused: what was to stay off the record stays off this one too.
  const isMarked = mark !== undefined && isPaused(mark);
  if (isMarked && !paused) await twilio.changeRecording({ call: leg }, recordingSid, pausedNow);
  if (isMarked || paused) return pausedNow;
  return code ? undefined : { status: 'in-progress' };
}
