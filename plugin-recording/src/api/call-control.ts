import {
  type CallControlErrorCode,
  callControlForm,
  type PauseAnswer,
  readCallControlError,
  readPauseAnswer,
  readStartRecordingAnswer,
  type StartOptions,
  type StartRecordingAnswer,
} from '@flex-custody/core';
import type { Call } from '../state/call';
import { type Fetch, request } from './http';

/** Why a Function did not do what was asked: its own word, or ours where it had none. */
export type Failure = CallControlErrorCode | 'timeout' | 'offline' | 'answer_invalid';
export type Answer<T> = { ok: true; value: T } | { ok: false; failure: Failure };

export interface CallControl {
  /** Asks what Twilio records of the call, and has started what is missing. */
  start(call: Call, options: StartOptions): Promise<Answer<StartRecordingAnswer>>;
  pause(call: Call): Promise<Answer<PauseAnswer>>;
  resume(call: Call): Promise<Answer<PauseAnswer>>;
}

/** @param token read at each call: Flex renews it, and the plugin keeps no copy */
export function callControl(functionsUrl: string, token: () => string, fetch: Fetch): CallControl {
  const once = async <T>(
    path: string,
    call: Call,
    read: (body: unknown) => T | undefined,
    token: string,
    options?: StartOptions,
  ): Promise<Answer<T>> => {
    const form = callControlForm(token, { ...call, ...options });
    // A form needs no CORS preflight: one round trip less while the caller spells a card number.
    const result = await request(fetch, `${functionsUrl}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    });
    if (!result.answered) return { ok: false, failure: result.why };
    if (result.status < 200 || result.status > 299)
      return { ok: false, failure: readCallControlError(result.body) };
    const value = read(result.body);
    return value === undefined ? { ok: false, failure: 'answer_invalid' } : { ok: true, value };
  };
  const ask = async <T>(
    path: string,
    call: Call,
    read: (body: unknown) => T | undefined,
    options?: StartOptions,
  ): Promise<Answer<T>> => {
    const sent = token();
    const answer = await once(path, call, read, sent, options);
    // Renewed while we asked: the refusal was of the one before.
    const renewed = !answer.ok && answer.failure === 'token_refused' && token() !== sent;
    return renewed ? once(path, call, read, token(), options) : answer;
  };
  return {
    start: (call, options) => ask('/start-recording', call, readStartRecordingAnswer, options),
    pause: (call) => ask('/pause-recording', call, readPauseAnswer),
    resume: (call) => ask('/resume-recording', call, readPauseAnswer),
  };
}
