import { CustodyError } from './errors.ts';
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
} from './sids.ts';

export type CallbackStatus = 'in-progress' | 'completed' | 'absent' | 'failed';

/**
 * What Twilio's RecordingStatusCallback form says, checked in shape only. Everything but the SIDs is a hint: the host
 * re-reads the Recording from Twilio and uses only that.
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
  hints: { taskSid?: TaskSid; reservationSid?: ReservationSid };
}

const statuses: readonly CallbackStatus[] = ['in-progress', 'completed', 'absent', 'failed'];

/**
 * Reads the callback's form (body and query fields together, as a Twilio Function receives them).
 * @throws CustodyError `callback_invalid` (400) that names each field at fault, without its value
 */
export function parseRecordingCallback(form: Readonly<Record<string, unknown>>): RecordingCallback {
  const wrong: string[] = [];
  const required = <T>(name: string, value: T | undefined): T => {
    if (value === undefined) wrong.push(name);
    return value as T;
  };
  const optional = <T>(name: string, parse: (value: unknown) => T | undefined): T | undefined => {
    const value = form[name];
    if (value === undefined || value === '') return undefined;
    const parsed = parse(value);
    if (parsed === undefined) wrong.push(name);
    return parsed;
  };
  const callback: RecordingCallback = {
    accountSid: required('AccountSid', asAccountSid(form['AccountSid'])),
    recordingSid: required('RecordingSid', asRecordingSid(form['RecordingSid'])),
    status: required(
      'RecordingStatus',
      statuses.find((status) => status === form['RecordingStatus']),
    ),
    hints: {},
  };
  const callSid = optional('CallSid', asCallSid);
  const conferenceSid = optional('ConferenceSid', asConferenceSid);
  const errorCode = optional('ErrorCode', (value) =>
    typeof value === 'string' && /^\d{1,6}$/.test(value) ? value : undefined,
  );
  if (wrong.length > 0) {
    throw new CustodyError(
      'callback_invalid',
      `recording callback: missing or malformed ${wrong.join(', ')}`,
    );
  }
  if (callSid) callback.callSid = callSid;
  if (conferenceSid) callback.conferenceSid = conferenceSid;
  if (errorCode) callback.errorCode = errorCode;
  // A malformed hint is dropped, not refused: a browser's mistake must never cost a recording.
  const taskSid = asTaskSid(form['taskSid']);
  const reservationSid = asReservationSid(form['reservationSid']);
  if (taskSid) callback.hints.taskSid = taskSid;
  if (reservationSid) callback.hints.reservationSid = reservationSid;
  return callback;
}
