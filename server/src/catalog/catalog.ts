import type {
  CallSid,
  ConferenceSid,
  CopyProof,
  RecordingSid,
  RecordingState,
  ReservationSid,
  SealedObject,
  Sidecar,
  TaskSid,
} from '@flex-custody/core';
import type { Behind } from '../db/pages.ts';
import type { Parties } from './live-calls.ts';
import type {
  CallerKeys,
  Copier,
  Counts,
  Erasure,
  Expiry,
  ImportedObject,
  Intent,
  Kept,
  Lease,
  Listing,
  Owner,
  RecordingKind,
  RecordingRow,
  Registration,
  Restoration,
  Selection,
  Stale,
  StaleMark,
  StoredSidecar,
} from './recording-row.ts';

/**
 * What recordings exist and where each stands. Every move is one statement that checks the state it starts from (core's
 * table of moves), so two writers cannot both win; a move answers false where the recording was not there to be moved.
 */
export interface Catalog {
  find(sid: RecordingSid): Promise<RecordingRow | undefined>;
  /** The reservation's primary recording: the earliest start of those that play, before any that do not. */
  firstOfReservation(sid: ReservationSid): Promise<RecordingRow | undefined>;
  /**
   * Inserts, or keeps what is there and fills in what it lacks; a start that was a guess is replaced by one that is none.
   * @throws CustodyError `foreign_account` where another account has it
   */
  register(input: Registration): Promise<RecordingRow>;
  /** Undefined when somebody has it or nothing is left to copy. `ms` from now. */
  lease(sid: RecordingSid, holder: string, ms: number): Promise<Lease | undefined>;
  extendLease(sid: RecordingSid, lease: string, ms: number): Promise<boolean>;
  /** False when the lease is lost. `by`: see {@link RecordingRow.copiedBy}; without it, nobody's. */
  sealed(
    sid: RecordingSid,
    lease: string,
    object: SealedObject,
    channels: 1 | 2,
    by?: Copier,
  ): Promise<boolean>;
  release(sid: RecordingSid, lease: string, failure?: string): Promise<boolean>;
  /**
   * Only while the object is the same key and ETag; from then on its audio's digest is known, whoever made it. The row as
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
  /** Its copy could not be proven: nobody tries again today. */
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
  /** Another version of the same audio, sealed by another key, has taken its object's place, if it is still this one. */
  renewed(sid: RecordingSid, before: SealedObject, now: SealedObject): Promise<boolean>;
  /** Recordings that another key than the newest has sealed, or their sidecars; by SID, behind `after`. At most 1000. */
  sealedByOthers(
    of: { newest: string; from?: string },
    after: RecordingSid | undefined,
    limit: number,
  ): Promise<RecordingRow[]>;
  countSealedByOthers(of: { newest: string; from?: string }): Promise<number>;
  /** How many recordings and sidecars each key has sealed. */
  keyUse(): Promise<{ keyId: string; recordings: number; sidecars: number }[]>;
  giveUp(sid: RecordingSid, reason: string): Promise<boolean>;
  /**
   * A failed recording starts over, its attempts forgotten: from its object where it has one, which may be good and is
   * verified again before anything is copied anew.
   */
  replayed(sid: RecordingSid): Promise<'sealed' | 'registered' | undefined>;
  /** The same for many at once: the recordings that are to be verified, and those that are to be copied. */
  replayedAll(sids: readonly RecordingSid[]): Promise<{ sealed: RecordingSid[]; registered: RecordingSid[] }>;
  /** Twilio recorded nothing; `code` is Twilio's. */
  absent(sid: RecordingSid, code: string): Promise<boolean>;
  /** Recordings that were verified at least so many hours ago, have a sidecar and an original at Twilio, and are not set aside; the longest ago first. */
  sourcesDue(hours: number, limit: number): Promise<RecordingRow[]>;
  /** Hides a due recording, or its original, from `expired` or `sourcesDue` for so many seconds. */
  setAside(sid: RecordingSid, what: Kept, seconds: number): Promise<void>;
  /** Makes what was set aside due again: what its time has passed for, or all of it. */
  lookAgain(what: Kept, which?: { all?: boolean }): Promise<void>;
  /** Twilio has the original no longer. */
  sourceDeleted(sid: RecordingSid): Promise<void>;
  /** Its sidecar was written, in place of the one before; false where another one has been written meanwhile. */
  described(sid: RecordingSid, before: StoredSidecar | undefined, now: StoredSidecar): Promise<boolean>;
  /**
   * Puts back what a sidecar says, into a catalog that knows nothing of it; false where it does. It is sealed then, never
   * verified or proven, and without a signature its owner is a hint that the link has to prove.
   */
  restored(sidecar: Sidecar, from: Restoration): Promise<boolean>;
  /** Verified recordings whose sidecar is not signed, by SID, behind `after`. At most 1000. */
  unsigned(after: RecordingSid | undefined, limit: number): Promise<RecordingRow[]>;
  countUnsigned(): Promise<number>;
  /** Whether any sidecar was signed. */
  everSigned(): Promise<boolean>;
  /** Ids of the keys that signed the newest sidecars. */
  newestSigners(): Promise<string[]>;
  /** How many sidecars each key has signed; without an id, those that nobody did. */
  signers(): Promise<{ keyId?: string; sidecars: number }[]>;
  /** Counts sidecars of other keys than these as unsigned, so that they are signed again. @returns how many */
  forgetSigners(listed: readonly string[]): Promise<number>;
  /**
   * This and the two below answer with the state that the recording itself is in then; undefined where nothing changed.
   * @param parties whose call it is, as {@link calledBy} takes it
   */
  linked(sid: RecordingSid, owner: Owner, parties?: Partial<Parties>): Promise<RecordingState | undefined>;
  /** The task is gone, or cannot take the entry; a linked recording stays linked. */
  unlinked(sid: RecordingSid, reason: string, owner?: Owner): Promise<RecordingState | undefined>;
  /** Puts hints that are proven in the place of refused ones; its link is pending again. False where none are refused. */
  rehinted(sid: RecordingSid, hints: RecordingRow['hints']): Promise<boolean>;
  /** The hints were disproved; a linked recording stays linked. */
  refused(sid: RecordingSid, reason: string): Promise<RecordingState | undefined>;
  /** The link of one that was refused or found no task is tried again; what was proven of it stays. */
  relink(sid: RecordingSid): Promise<boolean>;
  /**
   * Fills in what Twilio says of the call, where nothing proven is known, and adds the others on the line to the hints.
   * @returns the state of the recording; undefined where nothing changed
   */
  calledBy(sid: RecordingSid, parties: Parties): Promise<RecordingState | undefined>;
  /** Recordings of this call whose caller or direction is not known, or not proven. */
  withoutCaller(of: {
    conferenceSid: ConferenceSid;
    legs: readonly CallSid[];
    taskSid?: TaskSid;
  }): Promise<RecordingRow[]>;
  /** Of calls with somebody outside: how many recordings have a caller by which secret, and how many none. */
  callerKeys(): Promise<CallerKeys>;
  /** Names this secret in each digest that names none: somebody knows that it made them. @returns of how many recordings */
  nameCallers(keyId: string): Promise<number>;
  forwarded(sid: RecordingSid): Promise<void>;
  /** The mark that was last set by this name; undefined before the first. */
  mark(name: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Keeps a small JSON object by name, such as the place where periodic work continues. */
  setMark(name: string, mark: Readonly<Record<string, unknown>>): Promise<void>;
  /** The combinations of queue and direction that recordings which are not erased have. */
  kindsKept(): Promise<RecordingKind[]>;
  /**
   * Recordings of each kind that started before its time, in the order of `of`, the oldest first. It leaves out what is
   * erased, being erased or set aside. At most 1000.
   */
  expired(of: readonly Expiry[], limit: number): Promise<RecordingRow[]>;
  /** By SID, behind `after`, without those that are erased already. At most 1000. */
  selected(of: Selection, after: RecordingSid | undefined, limit: number): Promise<RecordingRow[]>;
  /** Which of these tasks no recording names, neither proven nor by hint. */
  unknownTasks(tasks: readonly TaskSid[]): Promise<TaskSid[]>;
  /**
   * Writes down what is to be erased and why, before the first step; from then on nobody plays or copies it, and for some
   * minutes no other run touches it. Whoever wrote an intent may write it again, which begins no later for it.
   * @param by id of the run
   * @returns false where another intent is there already, or something of the recording has gone
   */
  intend(sid: RecordingSid, intent: Omit<Intent, 'begunAt'>, by: string): Promise<boolean>;
  /** Takes over an intent at which no run is any more. */
  resumeErasure(sid: RecordingSid, by: string): Promise<boolean>;
  /** Nothing has gone: the recording is as it was before the intent. */
  takeBack(sid: RecordingSid, by: string): Promise<boolean>;
  /** Extends what this run is at. @returns which recordings those are */
  keepErasures(by: string): Promise<Set<RecordingSid>>;
  /** This run is at none of them any more. */
  leaveErasures(by: string): Promise<void>;
  /**
   * Something of the recording has gone: there is no way back. What is known of it stays until it is over.
   * @param by the run whose intent it must be; without it, whoever's
   */
  erasing(sid: RecordingSid, by?: string): Promise<boolean>;
  /** Notes what went of it; a later note adds to an earlier one. */
  wasRemoved(sid: RecordingSid, what: Erasure): Promise<void>;
  /** Forgets all that is known of a recording but its SID, when it went, and the certificate's id. */
  erased(sid: RecordingSid, certificate: string): Promise<boolean>;
  /** What names it elsewhere: its SID, and those of its call where that has no other recording. To be asked before {@link erased}. */
  tracesOf(sid: RecordingSid): Promise<string[]>;
  /**
   * Makes the space of removed rows free again where the database does not do that by itself: the embedded one. Each table
   * costs what has changed in it since.
   */
  reclaim(): Promise<void>;
  /** Recordings with an intent, which is not over, and at which no run is; by SID, behind `after`. */
  unfinishedErasures(limit: number, after?: RecordingSid): Promise<RecordingRow[]>;
  /** Those whose intent is older than a day. */
  stuckErasures(limit: number): Promise<RecordingSid[]>;
  /** Recordings that are not erased. */
  size(): Promise<number>;
  /** The mean of what the last runs of retention that erased any have erased; undefined before the first. */
  usuallyRetained(): Promise<number | undefined>;
  noteRetained(recordings: number): Promise<void>;
  /** By the database's clock, which every process shares. */
  now(): Promise<Date>;
  /** Recordings of a task that are verified, the earliest first. */
  ofTask(sid: TaskSid): Promise<RecordingRow[]>;
  /** Newest first. Erased ones are listed by their state, and not by their link. */
  list(listing: Listing): Promise<RecordingRow[]>;
  /** How many are behind a page of such a list; not all of them, where there are more than 10,000. */
  countBehind(of: Omit<Listing, 'limit'>): Promise<Behind>;
  counts(): Promise<Counts>;
  /** By SID, as the bucket lists its keys; `after` is the last of the page before. At most 1000. */
  inOrder(after: RecordingSid | undefined, limit: number): Promise<RecordingRow[]>;
  /** Recordings that did not change since `olderThan`, oldest first; of state `copying` those whose lease ended before it. At most 5000. */
  stale(of: Stale, after?: StaleMark, limit?: number): Promise<{ sids: RecordingSid[]; next?: StaleMark }>;
  /**
   * Of a copy by a Function: `bytes` of audio in `ms`. Those under 4 MB are passed over: they tell how long it takes to
   * begin and end one, and counted as speed they would keep Functions from ever trying a longer one.
   */
  recordRate(bytes: number, ms: number): Promise<void>;
  /** Bytes per second: the median of the last 20 that counted, 8 MB/s before the first. */
  observedRate(): Promise<number>;
  /** The generation after it; links of earlier ones no longer play. */
  bumpSegmentGeneration(sid: RecordingSid): Promise<number | undefined>;
  /** Counts one more attempt and answers how many there were. */
  attempt(sid: RecordingSid): Promise<number>;
}

export * from './recording-row.ts';
