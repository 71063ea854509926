import type { CallSid, ConferenceSid, TaskSid } from '@flex-custody/core';
import type { TwilioRecordingStatus } from './api.ts';

/** A call as Twilio itself made or took it: what no task attribute can say otherwise. */
export interface TwilioCallFacts {
  sid: CallSid;
  /** A number, a SIP address, or `client:<identity>`. */
  from: string;
  to: string;
  /** `inbound`, `outbound-api`, `outbound-dial`; others are possible. */
  direction: string;
  parentCallSid?: CallSid;
  startedAt?: Date;
  endedAt?: Date;
}

export interface ListedConference {
  sid: ConferenceSid;
  /** Flex names the conference of a voice task after the task's SID. */
  friendlyName: string;
  createdAt: Date;
}

/** What of a call Twilio records, or has recorded. */
export interface RecordedPlace {
  callSid?: CallSid;
  conferenceSid?: ConferenceSid;
  status: TwilioRecordingStatus;
}

/** A task as it was when it was made. */
export interface CreatedTask {
  /** JSON text. */
  attributes: string;
  /** Made by a worker's browser: then it proves nothing. */
  byWorker: boolean;
  createdAt: Date;
}

/** What is asked of Twilio about whose calls they are; a 404 is undefined, the errors are those of TwilioApi. */
export interface TwilioCalls {
  callFacts(sid: CallSid): Promise<TwilioCallFacts | undefined>;
  /** Every conference in progress: one request for up to 500. */
  liveConferencesAll(): Promise<ListedConference[]>;
  /** Of every recording created since: one request for up to 500. */
  recordingsSince(date: Date): Promise<RecordedPlace[]>;
  /**
   * The task's `task.created`; undefined where TaskRouter has none, which after 30 days is the rule.
   * Source: https://www.twilio.com/docs/taskrouter/api/event
   */
  taskCreated(task: TaskSid): Promise<CreatedTask | undefined>;
}
