import type {
  CallSid,
  ConferenceSid,
  LiveConference,
  PauseSettings,
  RecordingSid,
  TaskSid,
  WorkerSid,
} from '@flex-custody/core';
import type { TwilioRecordingStatus } from './api.ts';

export interface TwilioLiveConference extends LiveConference {
  /** Flex names the conference of a voice task after the task's SID. */
  friendlyName: string;
}

export interface LegHold {
  callSid: CallSid;
  hold: boolean;
}

/** Twilio keeps a recording below the call, or below the conference, that it records. */
export type RecordingPlace = { call: CallSid } | { conference: ConferenceSid };

export interface ListedRecording {
  recordingSid: RecordingSid;
  /** Of a live recording `processing`, whether it is paused or not: only the answer to a change names its state. */
  status: TwilioRecordingStatus;
  /** To the second, as Twilio states it. */
  createdAt?: Date;
}

export type PauseBehavior = PauseSettings['behavior'];

/** A recording of a conference cannot be stopped. */
export type RecordingChange =
  | { status: 'paused'; behavior: PauseBehavior }
  | { status: 'in-progress' }
  | { status: 'stopped' };

export interface StartedStream {
  /** `MZ…` */
  streamSid: string;
}

/**
 * What is asked of Twilio about calls while they last. What is not there, or is over, is an answer and no error; the
 * rest are the errors of {@link TwilioApi}.
 */
export interface TwilioLive {
  /** Conferences in progress of this name, the newest first, two at most. */
  liveConferences(friendlyName: string): Promise<ConferenceSid[]>;
  /** With the legs that are in it now, 20 at most; undefined where it is not in progress. */
  liveConference(sid: ConferenceSid): Promise<TwilioLiveConference | undefined>;
  /** Which of its legs are on hold, 20 at most; empty where it is unknown or over. */
  holds(sid: ConferenceSid): Promise<LegHold[]>;
  callIsLive(sid: CallSid): Promise<boolean>;
  /** Tasks that the worker accepted and has not wrapped up, 10 at most. */
  acceptedTasks(worker: WorkerSid): Promise<TaskSid[]>;
  /** 50 at most, the newest first. */
  recordingsOf(place: RecordingPlace): Promise<ListedRecording[]>;
  /** `not-active`: the recording has ended, or the call has. */
  changeRecording(
    place: RecordingPlace,
    sid: RecordingSid,
    change: RecordingChange,
  ): Promise<'ok' | 'not-active'>;
  /**
   * Records both channels of a live call.
   * @param callback receives `completed` and `absent`
   * @returns undefined where the call is over
   */
  startRecording(call: CallSid, callback: string): Promise<RecordingSid | undefined>;
  /**
   * Streams this leg's inbound audio to `url` (`wss:`). `refused`: the name is in use on the call, or its four
   * tracks are; Twilio documents no code that distinguishes the two.
   */
  startStream(
    call: CallSid,
    stream: { url: string; name: string },
  ): Promise<StartedStream | 'refused' | 'not-live'>;
  /** @returns false where no such stream runs */
  stopStream(call: CallSid, sidOrName: string): Promise<boolean>;
}
