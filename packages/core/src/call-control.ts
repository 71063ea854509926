import type { CallSid, RecordingSid } from './sids.ts';

/**
 * What the plugins and the Functions say to each other: `POST`, a form or JSON, the Flex token in the body as `Token`.
 * SIDs in a request tell where to look; whose call it is, Twilio's participants decide.
 */

/** What a Function of ours answers where it did not do what was asked: `{"error": code}` beside the status. */
export interface CallControlError {
  error: CallControlErrorCode;
}

/**
 * 401 token_missing, token_malformed · 403 token_refused, not_your_call, pause_disabled, origin_refused,
 * stream_url_refused, consent_missing · 404 call_not_live · 409 nothing_recorded, too_many_streams, call_paused ·
 * 400 request_invalid · 502 vendor_refused, vendor_unreachable · 503 iam_unavailable, twilio_unavailable,
 * host_unreachable
 */
export type CallControlErrorCode =
  | 'token_missing'
  | 'token_malformed'
  | 'token_refused'
  | 'not_your_call'
  | 'pause_disabled'
  | 'origin_refused'
  | 'stream_url_refused'
  | 'consent_missing'
  | 'call_paused'
  | 'host_unreachable'
  | 'call_not_live'
  | 'nothing_recorded'
  | 'too_many_streams'
  | 'request_invalid'
  | 'vendor_refused'
  | 'vendor_unreachable'
  | 'iam_unavailable'
  | 'twilio_unavailable'
  | 'twilio_unauthorized'
  | 'twilio_refused'
  | 'config_invalid'
  | 'unexpected';

/** `/start-recording`, `/pause-recording`, `/resume-recording`. All SIDs are hints but for finding the conference. */
export interface CallControlRequest {
  Token: string;
  taskSid: string;
  reservationSid: string;
  conferenceSid?: string;
}

/** What must be recorded: the asker's own leg, or the conference, by Flex; where that is missing, the leg instead. */
export type WantedRecording = 'leg' | 'conference';

/** `/start-recording`: asks what Twilio has, and starts only what is missing. */
export interface StartRecordingRequest extends CallControlRequest {
  /** The leg by default. */
  want?: WantedRecording;
  /** It was asked for before, as with the acceptance: it may be running though Twilio's list does not have it yet. */
  expected?: 'true';
  /** The agent wants the call off the record: what is started is paused at once. */
  paused?: 'true';
}

/** Answer of `/start-recording`: the recording that was there, or a new one of the asker's own leg. */
export interface StartRecordingAnswer {
  recordingSid: RecordingSid;
  /** The asker's own leg. */
  callSid: CallSid;
  /** False where it was being recorded already. */
  started: boolean;
  of: WantedRecording;
}

/** Answer of `/pause-recording` and `/resume-recording`. Asking again changes nothing and answers the same. */
export interface PauseAnswer {
  state: 'paused' | 'recording';
  /** Epoch ms of the pause; absent when recording. */
  since?: number;
  /** How many recordings now are in this state. No SIDs: they are other people's too. */
  recordings: { legs: number; conference: number };
  /** False: the host did not hear of it yet; the plugin reports it (`POST /reports`) until it did. */
  reported: boolean;
  /** False: the task's attributes could not take the mark; the state is not seen by others. */
  marked: boolean;
}

/** Answer of the host's `GET /consents/CF…`, which the Functions ask (signed) before a voice goes to the vendor. */
export interface ConsentAnswer {
  /** False where the site has another lawful basis than the caller's consent. */
  required: boolean;
  /** The newest decision of this call's caller is that they agree. */
  standing: boolean;
  /** The call's recording is paused: no audio of it may be streamed either. */
  paused: boolean;
}

/** Answer of the host's `GET /settings/pause`, asked by the Functions (signed) and the plugins (Flex token). */
export interface PauseSettings {
  enabled: boolean;
  behavior: 'silence' | 'skip';
  /** The host resumes after so many seconds; 0: only at wrap-up. */
  resumeAfterSeconds: number;
}
