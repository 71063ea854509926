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
 * The way of a recording from its callback to a proven copy, and to the deletion of its original. Every move is one statement
 * that checks the state it starts from (core's table of moves), so two writers cannot both win; a move answers false where
 * the recording was not there to be moved.
 */
export interface IntakeCatalog {
  /**
   * Inserts, or keeps what is there and fills in what it lacks; a start that was a guess is replaced by one that is none.
   * @throws CustodyError `foreign_account` where another account has it
   */
  register(input: Registration): Promise<RecordingRow>;
  /** Undefined when another holder has it or nothing is left to copy. `ms` from now. */
  lease(sid: RecordingSid, holder: string, ms: number): Promise<Lease | undefined>;
  extendLease(sid: RecordingSid, lease: string, ms: number): Promise<boolean>;
  /** False when the lease is lost. `by`: see {@link RecordingRow.copiedBy}; without it, unknown. */
  sealed(
    sid: RecordingSid,
    lease: string,
    object: SealedObject,
    channels: 1 | 2,
    by?: Copier,
  ): Promise<boolean>;
  release(sid: RecordingSid, lease: string, failure?: string): Promise<boolean>;
  /**
   * Only while the object is the same key and ETag; from then on its audio's digest is known. The row as
   * it is then, or undefined.
   * @param found the channels that its audio has, and the proof where the copy was the host's own
   */
  verified(
    sid: RecordingSid,
    object: SealedObject,
    plaintextSha256: string,
    found?: { channels?: 1 | 2; proof?: CopyProof },
  ): Promise<RecordingRow | undefined>;
  /** The copy of a verified recording is equal to Twilio's media; only while the object is this one. The row as it is then. */
  proven(sid: RecordingSid, object: SealedObject, proof: CopyProof): Promise<RecordingRow | undefined>;
  /** Its copy could not be proven: it is tried again after a day. */
  proofTried(sid: RecordingSid): Promise<void>;
  /** The copy of a verified recording is not Twilio's media: forgets the object, if it is still this one, to be copied by the host. */
  disproved(sid: RecordingSid, object: SealedObject): Promise<boolean>;
  /** Seconds of the recording in which a pause of the kind `skip` was reported for its task. */
  pausedSeconds(
    row: Pick<RecordingRow, 'taskSid' | 'hints' | 'linkState' | 'startedAt' | 'durationSeconds'>,
  ): Promise<number>;
  /** The copy was made of this object of an older bucket. */
  noteImport(sid: RecordingSid, object: ImportedObject): Promise<void>;
  importedFrom(sid: RecordingSid): Promise<ImportedObject | undefined>;
  /** These stored bytes are not the source's: forgets the object, if it is still this one, to be copied again by the host. */
  rejected(sid: RecordingSid, object: SealedObject, reason: string): Promise<boolean>;
  /** Its object is not in the bucket any more: forgets it, if it is still this one, to be copied again. */
  lost(sid: RecordingSid, object: SealedObject): Promise<boolean>;
  giveUp(sid: RecordingSid, reason: string): Promise<boolean>;
  /** {@link OperatingCatalog.replayed} for many at once: the recordings that are to be verified, and those that are to be copied. */
  replayedAll(sids: readonly RecordingSid[]): Promise<{ sealed: RecordingSid[]; registered: RecordingSid[] }>;
  /** Twilio recorded nothing; `code` is Twilio's. */
  absent(sid: RecordingSid, code: string): Promise<boolean>;
  /** Recordings that were verified at least so many hours ago, have a sidecar and an original at Twilio, and are not set aside; the longest ago first. */
  sourcesDue(hours: number, limit: number): Promise<RecordingRow[]>;
  /** The original is no longer at Twilio. */
  sourceDeleted(sid: RecordingSid): Promise<void>;
  /** Its sidecar was written, in place of the one before; false where another one has been written meanwhile. */
  described(sid: RecordingSid, before: StoredSidecar | undefined, now: StoredSidecar): Promise<boolean>;
  forwarded(sid: RecordingSid): Promise<void>;
  /** Recordings that did not change since `olderThan`, oldest first; of state `copying` those whose lease ended before it. At most 5000. */
  stale(of: Stale, after?: StaleMark, limit?: number): Promise<{ sids: RecordingSid[]; next?: StaleMark }>;
  /**
   * Of a copy by a Function: `bytes` of audio in `ms`. Those under 4 MB are not counted: most of their time is the
   * beginning and the end of a copy, and a speed taken from them would keep Functions from ever trying a longer one.
   */
  recordRate(bytes: number, ms: number): Promise<void>;
  /** Bytes per second: the median of the last 20 that counted, 8 MB/s before the first. */
  observedRate(): Promise<number>;
  /** Counts one more attempt and answers how many there were. */
  attempt(sid: RecordingSid): Promise<number>;
}
