import {
  asCallSid,
  asConferenceSid,
  asReservationSid,
  asTaskSid,
  type CallSid,
  type ConferenceSid,
  CustodyError,
  type ReservationSid,
  type TaskSid,
  type WantedRecording,
} from '@flex-custody/core';
import type { Event } from './runtime.ts';

/** `CallControlRequest` of packages/core, read. */
export interface CallControlForm {
  taskSid: TaskSid;
  reservationSid: ReservationSid;
  conferenceSid?: ConferenceSid;
}

/** Where to look for a call that is named by its SID. */
interface CallForm {
  callSid: CallSid;
  taskSid?: TaskSid;
  conferenceSid?: ConferenceSid;
}

export interface StartStreamForm extends CallForm {
  url?: string;
}

export interface StopStreamForm extends CallForm {
  streamSid?: string;
}

export const parseCallControl = (event: Event): CallControlForm =>
  checked(event, ({ needed, optional }) => ({
    taskSid: needed(['taskSid'], asTaskSid),
    reservationSid: needed(['reservationSid'], asReservationSid),
    ...optional('conferenceSid', asConferenceSid),
  }));

/** `StartRecordingRequest` of packages/core, read. */
export interface StartForm extends CallControlForm {
  want: WantedRecording;
  expected: boolean;
  paused: boolean;
}

export const parseStart = (event: Event): StartForm => {
  const form = checked(event, ({ optional }) => ({
    ...optional('want', (value) => wanted.find((one) => one === value)),
    ...optional('expected', asTrue),
    ...optional('paused', asTrue),
  }));
  const { want = 'leg', expected = false, paused = false } = form;
  return { ...parseCallControl(event), want, expected, paused };
};

const wanted: readonly WantedRecording[] = ['leg', 'conference'];
const asTrue = (value: unknown): true | undefined => (value === 'true' || value === true ? true : undefined);

export const parseStartStream = (event: Event): StartStreamForm =>
  checked(event, (fields) => ({ ...callOf(fields), ...fields.optional('url', asText) }));

export const parseStopStream = (event: Event): StopStreamForm =>
  checked(event, (fields) => ({ ...callOf(fields), ...fields.optional('streamSid', asStreamSid) }));

/** Which call, as far as the request says: the vendor's guide sends no more than the token. */
export const parseAnyCall = (event: Event): Partial<CallForm> =>
  checked(event, ({ hint }) => ({
    ...hint('callSid', asCallSid),
    ...hint('taskSid', asTaskSid),
    ...hint('conferenceSid', asConferenceSid),
  }));

interface Fields {
  /** Of several names the first that is there. */
  needed<T>(names: readonly string[], parse: (value: unknown) => T | undefined): T;
  optional<N extends string, T>(name: N, parse: (value: unknown) => T | undefined): Partial<Record<N, T>>;
  /** Says where to look; a malformed one is ignored. */
  hint<N extends string, T>(name: N, parse: (value: unknown) => T | undefined): Partial<Record<N, T>>;
}

/** The call's SID under each of the names that Twilio and the vendor's guide have for it. */
const callOf = ({ needed, hint }: Fields): CallForm => ({
  callSid: needed(['callSid', 'call_sid', 'CallSid'], asCallSid),
  // The vendor's bundle has `undefined` in its form where the desktop knows of none.
  ...hint('taskSid', asTaskSid),
  ...hint('conferenceSid', asConferenceSid),
});

const asText = (value: unknown) => (typeof value === 'string' && value.length <= 2_048 ? value : undefined);
const asStreamSid = (value: unknown) =>
  typeof value === 'string' && /^MZ[0-9a-f]{32}$/.test(value) ? value : undefined;

/** @throws CustodyError `request_invalid` (400) that names each field at fault, without its value */
function checked<T>(event: Event, read: (fields: Fields) => T): T {
  const wrong: string[] = [];
  // A browser's form has its empty fields too.
  const given = (name: string) => (event[name] === '' || event[name] === null ? undefined : event[name]);
  const parsed = <V>(name: string, parse: (value: unknown) => V | undefined): V | undefined => {
    const value = parse(given(name));
    if (value === undefined) wrong.push(name);
    return value;
  };
  const form = read({
    needed: <V>(names: readonly string[], parse: (value: unknown) => V | undefined) =>
      parsed(names.find((name) => given(name) !== undefined) ?? names[0] ?? '', parse) as V,
    optional: <N extends string, V>(name: N, parse: (value: unknown) => V | undefined) =>
      (given(name) === undefined ? {} : { [name]: parsed(name, parse) }) as Partial<Record<N, V>>,
    hint: <N extends string, V>(name: N, parse: (value: unknown) => V | undefined) => {
      const value = parse(given(name));
      return (value === undefined ? {} : { [name]: value }) as Partial<Record<N, V>>;
    },
  });
  if (wrong.length > 0) {
    throw new CustodyError('request_invalid', `request: missing or malformed ${wrong.join(', ')}`);
  }
  return form;
}
