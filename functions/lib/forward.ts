import { CustodyError, type IngestAnswer, type RecordingCallback } from '@flex-custody/core';
import { sendRequest } from '@flex-custody/net';
import type { FunctionConfig } from './config.ts';
import { type Deadline, timeLimit } from './deadline.ts';

const timeLimitMs = 3_000;
/**
 * What is handed on of the signed body. No URL: the one that Flex gets is made of the SIDs, so that no field of a webhook
 * can lead it elsewhere.
 */
const handedOn = [
  'AccountSid',
  'CallSid',
  'ConferenceSid',
  'RecordingSid',
  'RecordingStatus',
  'RecordingDuration',
  'RecordingChannels',
  'RecordingStartTime',
  'RecordingSource',
  'RecordingTrack',
  'ErrorCode',
] as const;

/**
 * Hands the form on to Twilio's own FlexRecordingWebhook, which would have received it had the callback
 * not been pointed here (https://www.twilio.com/docs/flex/developer/insights/custom-media-attached-conversations).
 * @param body as Twilio signed it
 * @returns whether it was handed on now; false where it has been already, no setting asks for it, or the host names no task
 * @throws CustodyError `forward_unavailable` where Twilio may take it later, `forward_refused` where it never will
 */
export async function forwardToFlex(
  config: FunctionConfig,
  callback: RecordingCallback,
  { forwarded, forwardTo: taskSid }: Pick<IngestAnswer, 'forwarded' | 'forwardTo'>,
  body: Readonly<Record<string, string>>,
  deadline: Deadline,
): Promise<boolean> {
  if (forwarded || !config.forwardTo || !taskSid || callback.status !== 'completed') return false;
  const url = `https://webhooks.twilio.com/v1/Accounts/${config.accountSid}/Workspaces/${config.forwardTo}/Tasks/${taskSid}/FlexRecordingWebhook`;
  const form: Record<string, string> = {
    ...Object.fromEntries(
      handedOn.flatMap((name) => (body[name] === undefined ? [] : [[name, body[name]] as const])),
    ),
    RecordingUrl: `https://api.twilio.com/2010-04-01/Accounts/${callback.accountSid}/Recordings/${callback.recordingSid}`,
  };
  // Loaded by those who forward alone: the SDK is a third of a cold start.
  const { getExpectedTwilioSignature } = await import('twilio/lib/webhooks/webhooks.js');
  const status = await sendRequest(url, {
    method: 'POST',
    body: new URLSearchParams(form).toString(),
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      'X-Twilio-Signature': getExpectedTwilioSignature(config.authToken, url, form),
    },
    limitMs: timeLimit(timeLimitMs, deadline),
  }).then(
    (answer) => answer.status,
    () => 503,
  );
  if (status >= 200 && status < 300) return true;
  const isPassing = status >= 500 || status === 429;
  throw new CustodyError(
    isPassing ? 'forward_unavailable' : 'forward_refused',
    `FlexRecordingWebhook: ${status}`,
  );
}
