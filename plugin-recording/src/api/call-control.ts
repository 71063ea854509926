import {
  asCallSid,
  asRecordingSid,
  type CallControlErrorCode,
  type CallControlRequest,
  isObject,
  type PauseAnswer,
  type StartRecordingAnswer,
  type StartRecordingRequest,
  type WantedRecording,
} from '@flex-custody/core';
import type { Call } from '../state/call';
import { type Fetch, request } from './http';

/** Why a Function did not do what was asked: its own word, or ours where it had none. */
export type Failure = CallControlErrorCode | 'timeout' | 'offline' | 'answer_invalid';
export type Answer<T> = { ok: true; value: T } | { ok: false; failure: Failure };

/** What must be recorded, and what is known of it. */
export interface StartWish {
  want: WantedRecording;
  /** It was asked for before: the Function looks for it some seconds before it starts another. */
  expected: boolean;
  /** What is started is paused at once. */
  paused: boolean;
}

export interface CallControl {
  /** Asks what Twilio records of the call, and has started what is missing. */
  start(call: Call, wish: StartWish): Promise<Answer<StartRecordingAnswer>>;
  pause(call: Call): Promise<Answer<PauseAnswer>>;
  resume(call: Call): Promise<Answer<PauseAnswer>>;
}

/** @param token read at each call: Flex renews it, and the plugin keeps no copy */
export function callControl(functionsUrl: string, token: () => string, fetch: Fetch): CallControl {
  const once = async <T>(
    path: string,
    call: Call,
    read: (body: unknown) => T | undefined,
    Token: string,
    more: Wish = {},
  ): Promise<Answer<T>> => {
    const form: CallControlRequest & Wish = {
      Token,
      taskSid: call.taskSid,
      reservationSid: call.reservationSid,
      ...(call.conferenceSid ? { conferenceSid: call.conferenceSid } : {}),
      ...more,
    };
    // A form needs no CORS preflight: one round trip less while the caller spells a card number.
    const result = await request(fetch, `${functionsUrl}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(Object.entries(form)).toString(),
    });
    if (!result.answered) return { ok: false, failure: result.why };
    if (result.status < 200 || result.status > 299) return { ok: false, failure: failureOf(result.body) };
    const value = read(result.body);
    return value === undefined ? { ok: false, failure: 'answer_invalid' } : { ok: true, value };
  };
  const ask = async <T>(
    path: string,
    call: Call,
    read: (body: unknown) => T | undefined,
    more?: Wish,
  ): Promise<Answer<T>> => {
    const sent = token();
    const answer = await once(path, call, read, sent, more);
    // Renewed while we asked: the refusal was of the one before.
    const renewed = !answer.ok && answer.failure === 'token_refused' && token() !== sent;
    return renewed ? once(path, call, read, token(), more) : answer;
  };
  return {
    start: (call, wish) => ask('/start-recording', call, asStarted, wishOf(wish)),
    pause: (call) => ask('/pause-recording', call, asPause),
    resume: (call) => ask('/resume-recording', call, asPause),
  };
}

type Wish = Pick<StartRecordingRequest, 'want' | 'expected' | 'paused'>;

const wishOf = ({ want, expected, paused }: StartWish): Wish => ({
  want,
  ...(expected ? { expected: 'true' } : {}),
  ...(paused ? { paused: 'true' } : {}),
});

const failures: ReadonlySet<string> = new Set<CallControlErrorCode>([
  'token_missing',
  'token_malformed',
  'token_refused',
  'not_your_call',
  'pause_disabled',
  'origin_refused',
  'call_not_live',
  'nothing_recorded',
  'request_invalid',
  'iam_unavailable',
  'twilio_unavailable',
  'twilio_unauthorized',
  'twilio_refused',
  'config_invalid',
]);

function failureOf(body: unknown): Failure {
  const code = isObject(body) ? body['error'] : undefined;
  return typeof code === 'string' && failures.has(code) ? (code as CallControlErrorCode) : 'unexpected';
}

function asStarted(body: unknown): StartRecordingAnswer | undefined {
  if (!isObject(body) || typeof body['started'] !== 'boolean') return undefined;
  const recordingSid = asRecordingSid(body['recordingSid']);
  const callSid = asCallSid(body['callSid']);
  const of = body['of'] === 'conference' ? 'conference' : 'leg';
  return recordingSid && callSid ? { recordingSid, callSid, started: body['started'], of } : undefined;
}

function countOf(counts: unknown, name: 'legs' | 'conference'): number {
  const count = isObject(counts) ? counts[name] : undefined;
  return typeof count === 'number' && count > 0 ? count : 0;
}

function asPause(body: unknown): PauseAnswer | undefined {
  if (!isObject(body)) return undefined;
  const { state, since, recordings } = body;
  if (state !== 'paused' && state !== 'recording') return undefined;
  return {
    state,
    ...(typeof since === 'number' ? { since } : {}),
    recordings: { legs: countOf(recordings, 'legs'), conference: countOf(recordings, 'conference') },
    // Not said is not done: we report once more rather than not at all.
    reported: body['reported'] === true,
    marked: body['marked'] === true,
  };
}
