import type { CallSid, ConferenceSid, RecordingSid, RecordingState, TaskSid } from '@flex-custody/core';
import type { Parties } from './live-calls.ts';
import type { Owner, RecordingRow } from './recording-row.ts';

/** A recording's call: its task, its direction and its caller. */
export interface LinkingCatalog {
  /**
   * This and the two below answer with the recording's state after the change; undefined if nothing changed.
   * @param parties direction and caller, as for {@link calledBy}
   */
  linked(sid: RecordingSid, owner: Owner, parties?: Partial<Parties>): Promise<RecordingState | undefined>;
  /** The task no longer exists, or cannot hold the entry; a linked recording stays linked. */
  unlinked(sid: RecordingSid, reason: string, owner?: Owner): Promise<RecordingState | undefined>;
  /** Twilio's facts disprove the hints; a linked recording stays linked. */
  refused(sid: RecordingSid, reason: string): Promise<RecordingState | undefined>;
  /** Replaces refused hints by proven ones; the link is pending again. False if no hints were refused. */
  rehinted(sid: RecordingSid, hints: RecordingRow['hints']): Promise<boolean>;
  /**
   * Fills in Twilio's facts about the call where none is proven yet, and adds the other numbers on the line to the hints.
   * @returns the recording's state; undefined if nothing changed
   */
  calledBy(sid: RecordingSid, parties: Parties): Promise<RecordingState | undefined>;
  /** Recordings of this call whose caller or direction is unknown or unproven. */
  withoutCaller(of: {
    conferenceSid: ConferenceSid;
    legs: readonly CallSid[];
    taskSid?: TaskSid;
  }): Promise<RecordingRow[]>;
}
