import type { RecordingSid, TaskSid } from '@flex-custody/core';
import type {
  Erasure,
  Expiry,
  Intent,
  Kept,
  RecordingKind,
  RecordingRow,
  Selection,
} from './recording-row.ts';

/** What is kept and for how long: what is due, what is set aside, and an erasure from its intent to its end. */
export interface KeepingCatalog {
  /** The combinations of queue and direction that recordings which are not erased have. */
  kindsKept(): Promise<RecordingKind[]>;
  /**
   * Recordings of each kind that started before its time, in the order of `of`, the oldest first. It leaves out what is
   * erased, being erased or set aside. At most 1000.
   */
  expired(of: readonly Expiry[], limit: number): Promise<RecordingRow[]>;
  /** Hides a due recording, or its original, from `expired` or `sourcesDue` for so many seconds. */
  setAside(sid: RecordingSid, what: Kept, seconds: number): Promise<void>;
  /** Makes what was set aside due again: what its time has passed for, or all of it. */
  lookAgain(what: Kept, which?: { all?: boolean }): Promise<void>;
  /** By SID, behind `after`, without those that are erased already. At most 1000. */
  selected(of: Selection, after: RecordingSid | undefined, limit: number): Promise<RecordingRow[]>;
  /** Which of these tasks no recording names, neither proven nor by hint. */
  unknownTasks(tasks: readonly TaskSid[]): Promise<TaskSid[]>;
  /**
   * Writes down what is to be erased and why, before the first step; from then on it is neither played nor copied, and for
   * some minutes no other run touches it. The run that wrote an intent may write it again; the time of its beginning stays.
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
   * @param by the run whose intent it must be; without it, any run's
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
}
