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

/** A session that an operator has selected. */
export interface SelectedSession {
  number: number;
  /** The SID of its first task, or of its call or conversation. */
  id: string;
  openedAt: Date;
  tasks: readonly TaskSid[];
  /** Digests. */
  callers: readonly string[];
  isOpen: boolean;
  /** All its SIDs. */
  keys: readonly string[];
}

/** Retention: what is due, what is set aside, and an erasure from its intent to its end. */
export interface KeepingCatalog {
  /** The combinations of queue and direction among the recordings that are not erased. */
  kindsKept(): Promise<RecordingKind[]>;
  /**
   * Recordings of each kind that started before its time, in the order of `of`, oldest first; without those that are
   * erased, being erased or set aside. At most 1000.
   */
  expired(of: readonly Expiry[], limit: number): Promise<RecordingRow[]>;
  /** Excludes a due recording, or its original, from `expired` or `sourcesDue` for so many seconds. */
  setAside(sid: RecordingSid, what: Kept, seconds: number): Promise<void>;
  /** Makes what was set aside due again: what was set aside until now or earlier, or all of it. */
  lookAgain(what: Kept, which?: { all?: boolean }): Promise<void>;
  /** By SID, after `after`, without erased recordings. At most 1000. */
  selected(of: Selection, after: RecordingSid | undefined, limit: number): Promise<RecordingRow[]>;
  /** Those of these tasks that have no recording, neither proven nor by hint, and no session. */
  unknownTasks(tasks: readonly TaskSid[]): Promise<TaskSid[]>;
  /** Sessions of these tasks, and of callers by their digests, in the order of their numbers, after `after`. At most 1000. */
  sessionsOf(
    of: Pick<Selection, 'tasks' | 'callers'>,
    after: number,
    limit: number,
  ): Promise<SelectedSession[]>;
  /** Whether a recording that is not erased names any of these SIDs. */
  isRecorded(keys: readonly string[]): Promise<boolean>;
  /** Removes a session, its events, and all that names its call elsewhere; its events are not taken in again. */
  eraseSession(number: number): Promise<boolean>;
  /**
   * Notes what is to be erased and why, before the first step. From then on the recording is neither played nor copied,
   * and for five minutes no other run works on it. The run that wrote an intent may write it again; `begunAt` stays.
   * @param by id of the run
   * @returns false if there is another intent, or if something of the recording was removed
   */
  intend(sid: RecordingSid, intent: Omit<Intent, 'begunAt'>, by: string): Promise<boolean>;
  /** Takes over an intent that no run works on. */
  resumeErasure(sid: RecordingSid, by: string): Promise<boolean>;
  /** Removes the intent, since nothing was removed: the recording is as it was before. */
  takeBack(sid: RecordingSid, by: string): Promise<boolean>;
  /** Extends this run's hold on the recordings that it erases. @returns those recordings */
  keepErasures(by: string): Promise<Set<RecordingSid>>;
  /** Gives up this run's hold on all recordings that it was erasing. */
  leaveErasures(by: string): Promise<void>;
  /**
   * Notes that something of the recording was removed: the erasure can no longer be taken back. The row stays until the
   * erasure ends.
   * @param by the run that must have the intent; absent: any run
   */
  erasing(sid: RecordingSid, by?: string): Promise<boolean>;
  /** Notes what was removed; a later note adds to an earlier one. */
  wasRemoved(sid: RecordingSid, what: Erasure): Promise<void>;
  /** Removes all of a recording's row except its SID, the time of its erasure and the certificate's id. */
  erased(sid: RecordingSid, certificate: string): Promise<boolean>;
  /**
   * The SIDs by which other tables name it: its own, and those of its call if the call has no other recording. Call it
   * before {@link erased}.
   */
  tracesOf(sid: RecordingSid): Promise<string[]>;
  /**
   * Frees the space of removed rows in the embedded database, which has no autovacuum. The cost depends on the rows that
   * have changed since the last call.
   */
  reclaim(): Promise<void>;
  /** Recordings whose erasure has not ended and that no run works on; by SID, after `after`. */
  unfinishedErasures(limit: number, after?: RecordingSid): Promise<RecordingRow[]>;
  /** Recordings whose intent is older than a day. */
  stuckErasures(limit: number): Promise<RecordingSid[]>;
  /** Recordings that are not erased. */
  size(): Promise<number>;
  /**
   * The mean number of recordings that the last 20 runs of retention erased, without runs that erased none; undefined
   * before the first.
   */
  usuallyRetained(): Promise<number | undefined>;
  noteRetained(recordings: number): Promise<void>;
  /** The database's time, which all processes share. */
  now(): Promise<Date>;
}
