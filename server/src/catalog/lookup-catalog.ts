import type { RecordingSid, ReservationSid, TaskSid } from '@flex-custody/core';
import type { RecordingRow } from './recording-row.ts';

/** Reads of single recordings, for any room. */
export interface LookupCatalog {
  find(sid: RecordingSid): Promise<RecordingRow | undefined>;
  /**
   * The reservation's primary recording: of those that can be played the one with the earliest start; if none can, the
   * earliest of the others.
   */
  firstOfReservation(sid: ReservationSid): Promise<RecordingRow | undefined>;
  /** Verified recordings of a task, earliest first. */
  ofTask(sid: TaskSid): Promise<RecordingRow[]>;
  /** All that name one of these SIDs: their own, or that of their reservation, task, call or conference. */
  ofContacts(sids: readonly string[]): Promise<RecordingRow[]>;
  /** By SID, in the order of the bucket's keys; `after` is the last SID of the page before. At most 1000. */
  inOrder(after: RecordingSid | undefined, limit: number): Promise<RecordingRow[]>;
}
