import { type MediaSource, objectKey } from '../sealed-object.ts';
import { asTaskSid, type TaskSid } from '../sids.ts';
import { asNumber, asPositive, asText, oneOf, readFields } from './fields.ts';
import type { RecordingCallback } from './recording-callback.ts';

export interface Forwarding {
  /** The form has been handed on to Flex's own webhook already. */
  forwarded: boolean;
  /**
   * The task to hand it on for: the proven one, or the hinted one as long as nothing speaks against it. Absent where the
   * hints were refused or name none: a browser must not steer a recording to a task by way of Flex either.
   */
  forwardTo?: TaskSid;
}

/**
 * The host's answer to `POST /ingest/recordings`: `copy` grants the caller the one lease on the recording; `done`, nothing
 * is left to do; `busy`, another process holds the lease; `host`, the host copies it itself.
 */
export type IngestAnswer = Forwarding &
  (
    | {
        action: 'copy';
        lease: string;
        /** Milliseconds from the answer until the lease lapses and the host takes over. */
        leaseMs: number;
        source: MediaSource;
        objectKey: string;
        /** Bytes per second that recent copies by a Function reached; decides whether one is begun. */
        rate: number;
      }
    | { action: 'done' | 'busy' | 'host' }
  );

/** The answer to a callback. Undefined where it is none, or would have the reader copy another recording. */
export function readIngestAnswer(
  value: unknown,
  { accountSid, recordingSid }: Pick<RecordingCallback, 'accountSid' | 'recordingSid'>,
): IngestAnswer | undefined {
  return readFields(value, ({ needed, hint, within }): IngestAnswer => {
    const forwarding = {
      forwarded: false,
      ...hint('forwarded', oneOf(true)),
      ...hint('forwardTo', asTaskSid),
    };
    const action = needed('action', oneOf('copy', 'done', 'busy', 'host'));
    if (action !== 'copy') return { action, ...forwarding };
    const source = within('source');
    return {
      action,
      lease: needed('lease', asText),
      leaseMs: needed('leaseMs', asNumber),
      source: {
        accountSid: source.needed('accountSid', oneOf(accountSid)),
        recordingSid: source.needed('recordingSid', oneOf(recordingSid)),
        channels: source.needed('channels', oneOf(1, 2)),
        ...source.hint('durationSeconds', asNumber),
        ...source.hint('pausedSeconds', asNumber),
      },
      objectKey: needed('objectKey', oneOf(objectKey(accountSid, recordingSid))),
      rate: needed('rate', asPositive),
      ...forwarding,
    };
  });
}
