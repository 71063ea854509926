import {
  type FlexSettings,
  type NotRecordedReason,
  readTaskMark,
  recordingVerdict,
} from '@flex-custody/core';
import type { Call } from '../state/call';

/** What is to become of a call's recording, by settings, rules and the task alone: the same after a refresh as before. */
export type Plan =
  | {
      record: true;
      /** This worker's leg is recorded, by us. */
      leg: boolean;
      /** The conference is recorded, by Flex. Neither of the two: another agent's leg holds this call's recording. */
      conference: boolean;
      /** `join`: options of the acceptance may not reach an outbound leg, so it is asked for once the leg has joined. */
      start: 'accept' | 'join';
    }
  | { record: false; reason: NotRecordedReason };

/**
 * @param flexRecords Flex's own switch (`call_recording_enabled`), or what the acceptance says of the conference
 */
export function planFor(settings: FlexSettings, flexRecords: boolean, call: Call): Plan {
  const { functionsUrl, recording } = settings;
  if (functionsUrl === undefined) return { record: false, reason: 'settings-invalid' };
  const internal = call.direction === 'internal';
  if (internal && !recording.internal) return { record: false, reason: 'internal-call' };
  const verdict = recordingVerdict(recording.rules, recording.otherwise, call);
  if (verdict === 'never') return { record: false, reason: 'rule' };
  const outgoing = call.direction === 'outbound' || call.caller;
  const start = outgoing && !call.transferred ? 'join' : 'accept';
  const onDemand = verdict === 'on-demand';
  // What was asked for holds for the call, so a transfer does not end it.
  const asked = onDemand && readTaskMark(call.attributes).started !== undefined;
  if (onDemand && !asked) return { record: false, reason: 'on-demand' };
  if (!asked && recording.mode === 'theirs' && !flexRecords) {
    return { record: false, reason: 'flex-recording-off' };
  }
  if (internal && !call.caller) return { record: true, leg: false, conference: false, start };
  if (asked) return { record: true, leg: true, conference: false, start };
  return {
    record: true,
    leg: recording.mode !== 'theirs',
    conference: recording.mode !== 'ours' && flexRecords,
    start,
  };
}
