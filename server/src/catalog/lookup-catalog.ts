import type { RecordingSid, ReservationSid, TaskSid } from '@flex-custody/core';
import type { RecordingRow } from './recording-row.ts';

/** What is read of single recordings, by any room: to play, to check, to work on. */
export interface LookupCatalog {
  find(sid: RecordingSid): Promise<RecordingRow | undefined>;
  /** The reservation's primary recording: the earliest start of those that play, before any that do not. */
  firstOfReservation(sid: ReservationSid): Promise<RecordingRow | undefined>;
  /** Recordings of a task that are verified, the earliest first. */
  ofTask(sid: TaskSid): Promise<RecordingRow[]>;
  /** By SID, as the bucket lists its keys; `after` is the last of the page before. At most 1000. */
  inOrder(after: RecordingSid | undefined, limit: number): Promise<RecordingRow[]>;
}
