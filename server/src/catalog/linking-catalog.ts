import type { CallSid, ConferenceSid, RecordingSid, RecordingState, TaskSid } from '@flex-custody/core';
import type { Parties } from './live-calls.ts';
import type { Owner, RecordingRow } from './recording-row.ts';

/** Whose call a recording is of: its task, and the caller. */
export interface LinkingCatalog {
  /**
   * This and the two below answer with the state that the recording itself is in then; undefined where nothing changed.
   * @param parties whose call it is, as {@link calledBy} takes it
   */
  linked(sid: RecordingSid, owner: Owner, parties?: Partial<Parties>): Promise<RecordingState | undefined>;
  /** The task is gone, or cannot take the entry; a linked recording stays linked. */
  unlinked(sid: RecordingSid, reason: string, owner?: Owner): Promise<RecordingState | undefined>;
  /** The hints were disproved; a linked recording stays linked. */
  refused(sid: RecordingSid, reason: string): Promise<RecordingState | undefined>;
  /** Puts hints that are proven in the place of refused ones; its link is pending again. False where none are refused. */
  rehinted(sid: RecordingSid, hints: RecordingRow['hints']): Promise<boolean>;
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
}
