import type { ErrorCode } from '../error-table.ts';
import type { PauseState } from '../paused.ts';
import {
  asCallSid,
  asConferenceSid,
  asRecordingSid,
  asReservationSid,
  asTaskSid,
  type CallSid,
  type ConferenceSid,
  type RecordingSid,
  type ReservationSid,
  type TaskSid,
} from '../sids.ts';
import {
  asBoolean,
  asNumber,
  asPositive,
  type Fault,
  type Fields,
  filled,
  oneOf,
  parseFields,
  readFields,
} from './fields.ts';

/**
 * What the plugins and the Functions say to each other: `POST`, a form or JSON, the Flex token in the body as `Token`.
 * SIDs in a request tell where to look; whose call it is, Twilio's participants decide.
 */

/** `/pause-recording`, `/resume-recording`. All SIDs are hints but for finding the conference. */
export interface CallControlRequest {
  taskSid: TaskSid;
  reservationSid: ReservationSid;
  conferenceSid?: ConferenceSid;
}

/** What must be recorded: the asker's own leg, or the conference, by Flex; where that is missing, the leg instead. */
export type WantedRecording = 'leg' | 'conference';

export interface StartOptions {
  want: WantedRecording;
  /** It was asked for before, as with the acceptance: it may be running though Twilio's list does not have it yet. */
  expected: boolean;
  /** The agent wants the call off the record: what is started is paused at once. */
  paused: boolean;
}

/** `/start-recording`: asks what Twilio has, and starts only what is missing. */
export interface StartRecordingRequest extends CallControlRequest, StartOptions {}

/** The fields of the form that {@link parseCallControlRequest} and {@link parseStartRecordingRequest} read. */
export const callControlForm = (
  Token: string,
  {
    taskSid,
    reservationSid,
    conferenceSid,
    want,
    expected,
    paused,
  }: CallControlRequest & Partial<StartOptions>,
): Record<string, string> => ({
  Token,
  taskSid,
  reservationSid,
  ...(conferenceSid && { conferenceSid }),
  ...(want && { want }),
  ...(expected && { expected: 'true' }),
  ...(paused && { paused: 'true' }),
});

const fault: Fault = { what: 'request', code: 'request_invalid' };

/** @throws CustodyError `request_invalid` (400) that names each field at fault, without its value */
export const parseCallControlRequest = (form: unknown): CallControlRequest =>
  parseFields(filled(form), fault, callOf);

/** What the form does not say of the wish is the leg, and false. @throws CustodyError `request_invalid` (400), likewise */
export const parseStartRecordingRequest = (form: unknown): StartRecordingRequest =>
  parseFields(filled(form), fault, (fields) => ({
    want: 'leg',
    expected: false,
    paused: false,
    ...fields.optional('want', oneOf('leg', 'conference')),
    ...fields.optional('expected', asTrue),
    ...fields.optional('paused', asTrue),
    ...callOf(fields),
  }));

const callOf = ({ needed, optional }: Fields): CallControlRequest => ({
  taskSid: needed('taskSid', asTaskSid),
  reservationSid: needed('reservationSid', asReservationSid),
  ...optional('conferenceSid', asConferenceSid),
});

const asTrue = (value: unknown): true | undefined => (value === 'true' || value === true ? true : undefined);

/** Answer of `/start-recording`: the recording that was there, or a new one of the asker's own leg. */
export interface StartRecordingAnswer {
  recordingSid: RecordingSid;
  /** The asker's own leg. */
  callSid: CallSid;
  /** False where it was being recorded already. */
  started: boolean;
  of: WantedRecording;
}

export const readStartRecordingAnswer = (body: unknown): StartRecordingAnswer | undefined =>
  readFields(body, ({ needed, hint }) => ({
    recordingSid: needed('recordingSid', asRecordingSid),
    callSid: needed('callSid', asCallSid),
    started: needed('started', asBoolean),
    of: 'leg',
    ...hint('of', oneOf('conference')),
  }));

/** Answer of `/pause-recording` and `/resume-recording`. Asking again changes nothing and answers the same. */
export interface PauseAnswer {
  state: PauseState;
  /** Epoch ms of the pause; absent when recording. */
  since?: number;
  /** How many recordings now are in this state. No SIDs: they are other people's too. */
  recordings: { legs: number; conference: number };
  /** False: the host did not hear of it yet; the plugin reports it (`POST /reports`) until it did. */
  reported: boolean;
  /** False: the task's attributes could not take the mark; the state is not seen by others. */
  marked: boolean;
}

/** What an answer does not say was done counts as not done: the plugin reports once more rather than not at all. */
export const readPauseAnswer = (body: unknown): PauseAnswer | undefined =>
  readFields(body, ({ needed, hint, within }) => {
    const { hint: count } = within('recordings');
    return {
      state: needed('state', oneOf('paused', 'recording')),
      ...hint('since', asNumber),
      recordings: {
        legs: 0,
        conference: 0,
        ...count('legs', asPositive),
        ...count('conference', asPositive),
      },
      reported: false,
      marked: false,
      ...hint('reported', oneOf(true)),
      ...hint('marked', oneOf(true)),
    };
  });

/** The codes with which a Function refuses or fails: `{"error": code}` beside the status that `error-table.ts` gives. */
const callControlErrors = [
  'token_missing',
  'token_malformed',
  'token_refused',
  'not_your_call',
  'pause_disabled',
  'origin_refused',
  'stream_url_refused',
  'consent_missing',
  'call_paused',
  'host_unreachable',
  'call_not_live',
  'nothing_recorded',
  'too_many_streams',
  'request_invalid',
  'vendor_refused',
  'vendor_unreachable',
  'iam_unavailable',
  'twilio_unavailable',
  'twilio_unauthorized',
  'twilio_refused',
  'config_invalid',
  'unexpected',
] as const satisfies readonly ErrorCode[];
export type CallControlErrorCode = (typeof callControlErrors)[number];

/** Why a Function did not do what was asked; `unexpected` where it says nothing that is known. */
export const readCallControlError = (body: unknown): CallControlErrorCode =>
  readFields(body, ({ needed }) => needed('error', oneOf(...callControlErrors))) ?? 'unexpected';
