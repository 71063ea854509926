import { createHash } from 'node:crypto';
import { withoutSlashes } from '@flex-custody/core';
import { Refused } from '../refused.ts';

/** What TaskRouter takes beside a reservation's acceptance, as a plugin's conferenceOptions reach it. */
export interface AcceptParameters {
  /** Of the agent's own leg. */
  leg: { channels: 1 | 2; callback?: string } | undefined;
  conference: { callback?: string } | undefined;
}

/**
 * Reads them as TaskRouter does: `Record` must be text (a boolean makes it refuse the whole acceptance), while
 * `ConferenceRecord` may be either.
 * @throws Refused 400
 */
export function readAcceptParameters(given: Readonly<Record<string, unknown>>): AcceptParameters {
  const { Record: record, ConferenceRecord: conference, RecordingChannels: channels = 'mono' } = given;
  if (record !== undefined && typeof record !== 'string')
    throw new Refused('Record must be text: "true" or "false"');
  if (channels !== 'mono' && channels !== 'dual') throw new Refused('RecordingChannels must be mono or dual');
  const legCallback = callbackOf(given['RecordingStatusCallback']);
  const conferenceCallback = callbackOf(given['ConferenceRecordingStatusCallback']);
  return {
    leg: record === 'true' ? { channels: channels === 'dual' ? 2 : 1, ...legCallback } : undefined,
    conference:
      conference === true || conference === 'true' || conference === 'record-from-start'
        ? { ...conferenceCallback }
        : undefined,
  };
}

const callbackOf = (value: unknown) => (typeof value === 'string' && value !== '' ? { callback: value } : {});

/** The part below the Functions' address, with its fragment; undefined for an address that is not theirs. */
export function belowFunctions(url: string, bases: readonly string[]): string | undefined {
  const base = bases.find((one) => url.startsWith(`${withoutSlashes(one)}/`));
  return base === undefined ? undefined : url.slice(withoutSlashes(base).length);
}

export const everyone = 'Everyone';

/** A queue is known by its name here; its SID follows from that. */
export const queueSid = (name: string): string =>
  `WQ${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
