import {
  type AccountSid,
  asAccountSid,
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
import { type Fault, type Fields, filled, oneOf, parseFields, textOf } from './fields.ts';

export type CallbackStatus = 'in-progress' | 'completed' | 'absent' | 'failed';

/**
 * What Twilio's RecordingStatusCallback form says, checked in shape only; as JSON the body of `POST /ingest/recordings`,
 * by which a Function hands it to the host. Everything but the SIDs is a hint: the host re-reads the Recording from Twilio
 * before it believes a word.
 * Source: https://www.twilio.com/docs/voice/api/recording#recordingstatuscallback
 */
export interface RecordingCallback {
  accountSid: AccountSid;
  recordingSid: RecordingSid;
  status: CallbackStatus;
  callSid?: CallSid;
  conferenceSid?: ConferenceSid;
  /** Twilio's own code for an absent recording: 16101 too short, 16102 silent. */
  errorCode?: string;
  /** From the callback's query, which a browser wrote: not trusted until TaskRouter proves it. */
  hints: CallbackHints;
}

export interface CallbackHints {
  taskSid?: TaskSid;
  reservationSid?: ReservationSid;
}

/** The fields that the query of a callback's URL may have. */
export const callbackHints = [
  'taskSid',
  'reservationSid',
] as const satisfies readonly (keyof CallbackHints)[];
export const callbackPath = '/recording-status-callback';

/**
 * Where Twilio reports a recording, with the task as a hint. The fragment asks for five retries on whatever fails, where
 * Twilio by default does not retry a 5xx (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
 */
export function recordingCallbackUrl(
  functionsUrl: string,
  { taskSid, reservationSid }: Readonly<Required<CallbackHints>>,
): string {
  return `${functionsUrl}${callbackPath}?taskSid=${taskSid}&reservationSid=${reservationSid}#rc=5&rp=all`;
}

const fault: Fault = { what: 'recording callback', code: 'callback_invalid' };

/** Twilio's names of the fields. */
const twilioNames = {
  accountSid: 'AccountSid',
  recordingSid: 'RecordingSid',
  status: 'RecordingStatus',
  callSid: 'CallSid',
  conferenceSid: 'ConferenceSid',
  errorCode: 'ErrorCode',
} as const satisfies Record<Exclude<keyof RecordingCallback, 'hints'>, string>;

/**
 * Reads Twilio's form (body and query fields together, as a Twilio Function receives them).
 * @throws CustodyError `callback_invalid` (400) that names each field at fault, without its value
 */
export function parseRecordingCallback(form: Readonly<Record<string, unknown>>): RecordingCallback {
  const given = filled(form);
  const named = Object.entries(twilioNames).map(([name, twilioName]) => [name, given[twilioName]]);
  return parseFields(
    { ...Object.fromEntries(named), hints: given },
    { ...fault, names: twilioNames },
    callbackOf,
  );
}

/**
 * Reads the body of `POST /ingest/recordings`. A signature says who speaks, not that it is well-formed.
 * @throws CustodyError `callback_invalid` (400), likewise
 */
export const parseIngestRequest = (body: unknown): RecordingCallback => parseFields(body, fault, callbackOf);

function callbackOf({ needed, optional, within }: Fields): RecordingCallback {
  const hints = within('hints');
  return {
    accountSid: needed('accountSid', asAccountSid),
    recordingSid: needed('recordingSid', asRecordingSid),
    status: needed('status', oneOf<CallbackStatus>('in-progress', 'completed', 'absent', 'failed')),
    ...optional('callSid', asCallSid),
    ...optional('conferenceSid', asConferenceSid),
    ...optional('errorCode', textOf(/^\d{1,6}$/)),
    // A malformed hint is dropped, not refused: a browser's mistake must never cost a recording.
    hints: { ...hints.hint('taskSid', asTaskSid), ...hints.hint('reservationSid', asReservationSid) },
  };
}
