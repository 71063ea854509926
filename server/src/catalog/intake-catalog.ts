import type { CopyProof, RecordingSid, SealedObject } from '@flex-custody/core';
import type {
  Copier,
  ImportedObject,
  Lease,
  RecordingRow,
  Registration,
  Stale,
  StaleMark,
  StoredSidecar,
} from './recording-row.ts';

/**
 * A recording from its callback to a proven copy, and to the deletion of its original. Every move is one statement that
 * checks the state it starts from (core's table of moves), so only one of two writers succeeds; a move answers false if
 * the recording was in another state.
 */
export interface IntakeCatalog {
  /**
   * Inserts the recording, or fills in what its row lacks; a known start replaces a guessed one.
   * @throws CustodyError `foreign_account` if the recording is another account's
   */
  register(input: Registration): Promise<RecordingRow>;
  /** Grants a lease for `ms` from now. Undefined if another holder has one, or if nothing is left to copy. */
  lease(sid: RecordingSid, holder: string, ms: number): Promise<Lease | undefined>;
  extendLease(sid: RecordingSid, lease: string, ms: number): Promise<boolean>;
  /** False if the lease is lost. `by`: see {@link RecordingRow.copiedBy}; absent: unknown. */
  sealed(
    sid: RecordingSid,
    lease: string,
    object: SealedObject,
    channels: 1 | 2,
    by?: Copier,
  ): Promise<boolean>;
  release(sid: RecordingSid, lease: string, failure?: string): Promise<boolean>;
  /**
   * Marks the recording as verified, if its object still has this key and ETag; the object has the audio's digest.
   * @param found the channels of its audio, and the proof if the host made the copy
   * @returns the row after the change, or undefined
   */
  verified(
    sid: RecordingSid,
    object: SealedObject,
    plaintextSha256: string,
    found?: { channels?: 1 | 2; proof?: CopyProof },
  ): Promise<RecordingRow | undefined>;
  /** Marks the copy as equal to Twilio's media, if the object is still this one. The row after the change. */
  proven(sid: RecordingSid, object: SealedObject, proof: CopyProof): Promise<RecordingRow | undefined>;
  /** Notes that the copy could not be proven: the host tries again after a day. */
  proofTried(sid: RecordingSid): Promise<void>;
  /**
   * The copy differs from Twilio's media: removes the object from the row, if it is still this one, so that the host
   * copies the recording again.
   */
  disproved(sid: RecordingSid, object: SealedObject): Promise<boolean>;
  /** Seconds of the recording during which a pause of the kind `skip` was reported for its task. */
  pausedSeconds(
    row: Pick<RecordingRow, 'taskSid' | 'hints' | 'linkState' | 'startedAt' | 'durationSeconds'>,
  ): Promise<number>;
  /** Notes from which object of an older bucket the copy was made. */
  noteImport(sid: RecordingSid, object: ImportedObject): Promise<void>;
  importedFrom(sid: RecordingSid): Promise<ImportedObject | undefined>;
  /**
   * The stored bytes are not the source's: removes the object from the row, if it is still this one, so that the host
   * copies the recording again.
   */
  rejected(sid: RecordingSid, object: SealedObject, reason: string): Promise<boolean>;
  /**
   * The object is no longer in the bucket: removes it from the row, if it is still this one, so that the recording is
   * copied again.
   */
  lost(sid: RecordingSid, object: SealedObject): Promise<boolean>;
  giveUp(sid: RecordingSid, reason: string): Promise<boolean>;
  /** {@link OperatingCatalog.replayed} for many at once: the recordings to verify, and those to copy. */
  replayedAll(sids: readonly RecordingSid[]): Promise<{ sealed: RecordingSid[]; registered: RecordingSid[] }>;
  /** Twilio recorded nothing; `code` is Twilio's. */
  absent(sid: RecordingSid, code: string): Promise<boolean>;
  /**
   * Recordings that were verified at least so many hours ago, have a sidecar and an original at Twilio, and are not set
   * aside; earliest verified first.
   */
  sourcesDue(hours: number, limit: number): Promise<RecordingRow[]>;
  /** The original is no longer at Twilio. */
  sourceDeleted(sid: RecordingSid): Promise<void>;
  /** Notes a new sidecar in place of `before`; false if another one was written meanwhile. */
  described(sid: RecordingSid, before: StoredSidecar | undefined, now: StoredSidecar): Promise<boolean>;
  forwarded(sid: RecordingSid): Promise<void>;
  /**
   * Recordings that have not changed since `olderThan`, oldest first; in state `copying`, those whose lease ended before
   * that. At most 5000.
   */
  stale(of: Stale, after?: StaleMark, limit?: number): Promise<{ sids: RecordingSid[]; next?: StaleMark }>;
  /**
   * Notes that a Function copied `bytes` of audio in `ms`. Copies under 4 MB do not count: most of their time is the
   * start and the end of a copy, so their speed is too low, and Functions would never try a longer recording.
   */
  recordRate(bytes: number, ms: number): Promise<void>;
  /** Bytes per second: the median of the last 20 that counted, 8 MB/s before the first. */
  observedRate(): Promise<number>;
  /** Counts one more attempt. @returns the number of attempts */
  attempt(sid: RecordingSid): Promise<number>;
}
