import {
  CustodyError,
  callbackPath,
  parseRecordingCallback,
  type RecordingCallback,
} from '@flex-custody/core';
import type { FunctionConfig } from './config.ts';
import type { Event } from './runtime.ts';
import { signedBody } from './signed-body.ts';

export interface RecordingForm {
  callback: RecordingCallback;
  /** As Twilio signed it. */
  body: Readonly<Record<string, string>>;
}

/**
 * Reads the callback of a recording: its facts from the signed body alone, its hints from the query.
 * @throws CustodyError `callback_invalid` (400)
 */
export function readRecordingForm(event: Event, config: FunctionConfig): RecordingForm {
  const { body, hints } = signedBody(event, callbackPath, config);
  const callback = parseRecordingCallback({ ...body, ...hints });
  // A webhook about something else, which a browser pointed here, has neither.
  if (callback.status === 'completed' && !body['RecordingUrl'] && !body['RecordingStartTime'])
    throw new CustodyError('callback_invalid', 'the body is not the form of a finished recording');
  return { callback, body };
}
