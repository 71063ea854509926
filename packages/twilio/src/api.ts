import type {
  AccountSid,
  CallSid,
  ConferenceSid,
  RecordingEncryption,
  RecordingSid,
  ReservationSid,
  TaskSid,
  WorkerSid,
} from '@flex-custody/core';

/** Source: https://www.twilio.com/docs/voice/api/recording#recording-status-values */
export const recordingStatuses = [
  'in-progress',
  'paused',
  'stopped',
  'processing',
  'completed',
  'absent',
  'deleted',
  // Of callbacks, with Voice Recording Encryption; whether the API says it too is not documented.
  'failed',
] as const;
export type TwilioRecordingStatus = (typeof recordingStatuses)[number];

export interface TwilioRecording {
  sid: RecordingSid;
  accountSid: AccountSid;
  /** "Always refers to the parent leg of a two-leg call". */
  callSid?: CallSid;
  conferenceSid?: ConferenceSid;
  status: TwilioRecordingStatus;
  channels: 1 | 2;
  /** Whole seconds; absent while Twilio does not state it. */
  durationSeconds?: number;
  startedAt: Date;
  errorCode?: string;
  /** By Twilio's Voice Recording Encryption: the media is then ciphertext. `unreadable`: we cannot tell how to decrypt it. */
  encryption?: RecordingEncryption | 'unreadable';
}

export interface RecordingPage {
  recordings: TwilioRecording[];
  /** When the oldest of them was created, by which the list is ordered and filtered; absent on an empty page. */
  oldest?: Date;
  /** Absent on the last. */
  next?: string;
}

export interface TwilioCall {
  sid: CallSid;
  /** As dialled: a phone number, or `client:<identity>` for a Flex worker. */
  to: string;
}

export interface TwilioConference {
  sid: ConferenceSid;
  /** Flex names the conference of a voice task after the task's SID. */
  friendlyName: string;
}

export interface TwilioTask {
  sid: TaskSid;
  /** JSON text. Flex in the browser writes here too: we merge into it and do not trust it. */
  attributes: string;
  /** Its queue's name. */
  queue?: string;
  /** What `If-Match` takes. */
  etag: string;
  dateUpdated: Date;
}

export interface TwilioReservation {
  sid: ReservationSid;
  taskSid: TaskSid;
  workerSid: WorkerSid;
  dateUpdated: Date;
}

export interface TwilioWorker {
  sid: WorkerSid;
  friendlyName: string;
  /** JSON text; Flex keeps the worker's address in `contact_uri`. */
  attributes: string;
}

export interface TwilioAccount {
  friendlyName: string;
  status: string;
  /** Twilio's clock minus ours, in ms; absent where its answer has no Date. */
  aheadMs?: number;
}

/**
 * What the host asks of Twilio's REST API. Each read answers undefined on a 404; every other failure is a
 * CustodyError: `twilio_unavailable` (503, retryable: 5xx, 429, timeout, no connection), `twilio_unauthorized` (401 or
 * 403), `twilio_refused` (any other 4xx), `twilio_answer` (a shape we cannot read), `twilio_etag_missing` (503,
 * retryable: a task without an ETag, which could only be updated blindly).
 */
export interface TwilioApi {
  recording(sid: RecordingSid): Promise<TwilioRecording | undefined>;
  /**
   * Recordings created in a window (both ends included, in whole seconds), 500 at a time, newest first; `next` is asked for
   * as `pageUrl`, whatever the window then says. What was deleted within the last 40 days is among them. A page's URL may
   * expire: what is to last for hours is `oldest`, asked for as `until`.
   * @throws CustodyError `twilio_answer` too for a `pageUrl` that is not this account's list at Twilio, or is no page of it
   */
  recordingsPage(window: { since: Date; until?: Date }, pageUrl?: string): Promise<RecordingPage>;
  /**
   * The newest 100 recordings of a call's own legs or of a conference, newest first, also those that were deleted within the last 40
   * days; empty when Twilio does not know the place.
   */
  recordingsAt(place: { call: CallSid } | { conference: ConferenceSid }): Promise<TwilioRecording[]>;
  /** Deletes its media for good. `gone`: Twilio has no such recording any more. Only a completed one can be deleted. */
  deleteRecording(sid: RecordingSid): Promise<'deleted' | 'gone'>;
  call(sid: CallSid): Promise<TwilioCall | undefined>;
  task(sid: TaskSid): Promise<TwilioTask | undefined>;
  /** Replaces the whole attributes, if the task still has this ETag: `changed` when not, `gone` when it no longer exists. */
  updateTask(sid: TaskSid, attributesText: string, etag: string): Promise<'ok' | 'changed' | 'gone'>;
  /**
   * At most two: enough to tell one from several. `expression` as Twilio's `EvaluateTaskAttributes`, which Twilio takes
   * three times a second: it waits for its turn, 10 s at most.
   */
  findTasks(expression: string, signal?: AbortSignal): Promise<TaskSid[]>;
  /** Undefined too when the reservation is of another task. */
  reservation(task: TaskSid, sid: ReservationSid): Promise<TwilioReservation | undefined>;
  /** Of a task, 20 at most; empty when the task is unknown. */
  reservations(task: TaskSid): Promise<TwilioReservation[]>;
  worker(sid: WorkerSid): Promise<TwilioWorker | undefined>;
  /** Workers of exactly this name; TaskRouter keeps names unique. */
  workersNamed(friendlyName: string): Promise<WorkerSid[]>;
  conference(sid: ConferenceSid): Promise<TwilioConference | undefined>;
  /** Call SIDs of a conference's participants; empty when the conference is unknown or Twilio names them no longer. */
  participants(conference: ConferenceSid): Promise<CallSid[]>;
  /** The account these credentials open, for the doctor. */
  account(): Promise<TwilioAccount | undefined>;
  /** The configured workspace, for the doctor. */
  workspace(): Promise<{ friendlyName: string } | undefined>;
}
