import {
  asCallSid,
  asConferenceSid,
  asTaskSid,
  type CallSid,
  type ConferenceSid,
  type TaskSid,
} from '../sids.ts';
import { type Fault, type Fields, filled, type Parse, parseFields, textOf } from './fields.ts';

/**
 * What the vendor's element in the browser asks the Functions for, as its guide for Flex has it: a form or JSON, beside it
 * the Flex token as `Token`.
 */

/** Where to look for a call that is named by its SID. */
export interface VoiceCallRequest {
  callSid: CallSid;
  taskSid?: TaskSid;
  conferenceSid?: ConferenceSid;
}

/** `/startStreamAudio` */
export interface StartStreamRequest extends VoiceCallRequest {
  url?: string;
}

/** `/stopStreamAudio` */
export interface StopStreamRequest extends VoiceCallRequest {
  streamSid?: string;
}

const fault: Fault = { what: 'request', code: 'request_invalid' };
const asUrl: Parse<string> = (value) =>
  typeof value === 'string' && value.length <= 2_048 ? value : undefined;

/** @throws CustodyError `request_invalid` (400) that names each field at fault, without its value */
export function parseStartStreamRequest(form: unknown): StartStreamRequest {
  const given = filled(form);
  return parseFields(given, fault, (fields) => ({
    ...callOf(fields, given),
    ...fields.optional('url', asUrl),
  }));
}

/** @throws CustodyError `request_invalid` (400), likewise */
export function parseStopStreamRequest(form: unknown): StopStreamRequest {
  const given = filled(form);
  return parseFields(given, fault, (fields) => ({
    ...callOf(fields, given),
    ...fields.optional('streamSid', textOf(/^MZ[0-9a-f]{32}$/)),
  }));
}

/** Body of `/getTemporaryToken`: which call, as far as it says. The vendor's guide sends no more than the token. */
export const parseVoiceTokenRequest = (form: unknown): Partial<VoiceCallRequest> =>
  parseFields(form, fault, (fields) => ({ ...fields.hint('callSid', asCallSid), ...placeOf(fields) }));

/** The call's SID under each of the names that Twilio and the vendor's guide have for it. */
const callNames = ['callSid', 'call_sid', 'CallSid'];

function callOf(fields: Fields, given: Readonly<Record<string, unknown>>): VoiceCallRequest {
  const name = callNames.find((one) => given[one] !== undefined) ?? 'callSid';
  return { callSid: fields.needed(name, asCallSid), ...placeOf(fields) };
}

/** The vendor's bundle has `undefined` in its form where the desktop knows of none. */
const placeOf = ({ hint }: Fields) => ({
  ...hint('taskSid', asTaskSid),
  ...hint('conferenceSid', asConferenceSid),
});
