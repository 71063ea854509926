import { createTwilio, type TwilioApi, type TwilioLive } from '@flex-custody/twilio';
import type { CallConfig } from './flex-config.ts';

/** Several requests come one after the other before anything is done: none may take all the time there is. */
const timeoutMs = 2_500;

let last: { key: string; twilio: TwilioApi & TwilioLive } | undefined;

/** Twilio's client, which outlives a call where the platform keeps the process warm. */
export function twilioOf({ accountSid, authToken, workspaceSid }: CallConfig): TwilioApi & TwilioLive {
  const key = JSON.stringify([accountSid, authToken, workspaceSid]);
  if (last?.key !== key) {
    const twilio = createTwilio({
      accountSid,
      workspaceSid,
      username: accountSid,
      password: authToken,
      timeoutMs,
    });
    last = { key, twilio };
  }
  return last.twilio;
}
