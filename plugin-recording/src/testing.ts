import {
  asCallSid,
  asConferenceSid,
  asReservationSid,
  asTaskSid,
  type FlexSettings,
  readFlexSettings,
} from '@flex-custody/core';
import type { Call } from './state/call';
import type { KeyValues } from './state/storage';

/** For tests alone: nothing here reaches the bundle. */
export const sid = (prefix: string, digit = '1'): string => prefix + digit.repeat(32);

const sure = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('a fixture is wrong');
  return value;
};

/** An inbound call, accepted, with this worker's leg in the conference. */
export const call = (more: Partial<Call> = {}): Call => ({
  taskSid: sure(asTaskSid(sid('WT'))),
  reservationSid: sure(asReservationSid(sid('WR'))),
  attributes: {},
  direction: 'inbound',
  caller: false,
  transferred: false,
  queues: ['Everyone', sid('WQ')],
  workers: ['agent@example.com', sid('WK')],
  own: true,
  live: true,
  joined: true,
  leg: sure(asCallSid(sid('CA', '9'))),
  conferenceSid: sure(asConferenceSid(sid('CF'))),
  ...more,
});

export const functionsUrl = 'https://functions.example';
export const hostUrl = 'https://custody.example';

/** Settings as an account would write them; the URLs are there unless they are taken away. */
export const settings = (
  recording: Readonly<Record<string, unknown>> = {},
  more: Readonly<Record<string, unknown>> = {},
): FlexSettings =>
  readFlexSettings({ functions_url: functionsUrl, host_url: hostUrl, recording, ...more }).settings;

export function keyValues(): KeyValues & { all: Map<string, string> } {
  const all = new Map<string, string>();
  return {
    all,
    getItem: (key) => all.get(key) ?? null,
    setItem: (key, value) => {
      all.set(key, value);
    },
  };
}
