import {
  type CallSid,
  CustodyError,
  errorCode,
  type RecordingSid,
  type StartRecordingAnswer,
} from '@flex-custody/core';
import { changeTaskMark, type TwilioApi, type TwilioLive } from '@flex-custody/twilio';
import type { CallControlForm } from './call-forms.ts';
import type { StartConfig } from './flex-config.ts';
import type { FlexCall } from './flex-endpoint.ts';
import type { Answer } from './runtime.ts';
import { twilioOf } from './twilio-of.ts';
import { ownCall } from './whose-call.ts';

const over = new Set(['stopped', 'completed', 'absent', 'deleted']);

/** Starts under way in this process, by leg: a second click finds the first one's. */
const underway = new Map<CallSid, Promise<StartRecordingAnswer>>();

/** Records the asker's own leg, unless it is being recorded already, and marks the task. */
export async function startRecording(
  asked: CallControlForm,
  { config, viewer, log }: FlexCall<StartConfig>,
): Promise<Answer> {
  const twilio = twilioOf(config);
  const { leg } = await ownCall(twilio, viewer, asked);
  const already = underway.get(leg);
  const starting =
    already ?? started(twilio, leg, callbackUrl(config, asked)).finally(() => underway.delete(leg));
  underway.set(leg, starting);
  const answer = already ? { ...(await starting), started: false } : await starting;
  log({ outcome: answer.started ? 'started' : 'same', recording: answer.recordingSid, call: leg });
  if (answer.started) {
    const started = Date.now();
    const { mark, code } = await changeTaskMark(twilio, asked.taskSid, (found) => ({
      ...found,
      started,
    })).then(
      (end) => ({ mark: end.mark ?? end.before, code: end.mark ? undefined : `task-${end.changed}` }),
      (error: unknown) => ({ mark: undefined, code: errorCode(error) }),
    );
    // It is recorded, marked or not.
    if (code) log({ outcome: 'not-marked', code });
    // Unless the call is paused: what was to stay off the record stays off this one too.
    const pause = { status: 'paused', behavior: 'silence' } as const;
    if (mark?.paused) await twilio.changeRecording({ call: leg }, answer.recordingSid, pause);
  }
  return { status: 200, body: { ...answer } };
}

async function started(
  twilio: TwilioApi & TwilioLive,
  callSid: CallSid,
  callback: string,
): Promise<StartRecordingAnswer> {
  const active = (await twilio.recordingsOf({ call: callSid })).find(({ status }) => !over.has(status));
  if (active) return { recordingSid: active.recordingSid, callSid, started: false };
  const recordingSid: RecordingSid | undefined = await twilio.startRecording(callSid, callback);
  if (recordingSid === undefined)
    throw new CustodyError('call_not_live', 'the call has just ended', { status: 404 });
  return { recordingSid, callSid, started: true };
}

/** As an acceptance would have it: says whose recording it is, and has Twilio ask again where we fail. */
function callbackUrl({ functionsUrl }: StartConfig, { taskSid, reservationSid }: CallControlForm): string {
  const query = new URLSearchParams({ taskSid, reservationSid });
  return `${functionsUrl}/recording-status-callback?${query}#rc=5&rp=all`;
}
