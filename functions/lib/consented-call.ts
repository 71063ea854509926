import { CustodyError } from '@flex-custody/core';
import type { Viewer } from '@flex-custody/twilio';
import type { Deadline } from './deadline.ts';
import type { StreamConfig } from './flex-config.ts';
import { consentOf } from './host-live.ts';
import { twilioOf } from './twilio-of.ts';
import { type Asked, type OwnCall, ownCall } from './whose-call.ts';

/**
 * The asker's own live call whose caller's voice may go to the vendor now: the caller agreed, as the host has it, and the
 * call is not paused. Whatever the host does not say is no.
 * @throws CustodyError as {@link ownCall} and {@link consentOf} do, `consent_missing` (403), `call_paused` (409)
 */
export async function consentedCall(
  config: Pick<StreamConfig, 'accountSid' | 'authToken' | 'workspaceSid' | 'origins' | 'host'>,
  viewer: Viewer,
  asked: Asked,
  deadline: Deadline,
): Promise<OwnCall> {
  const own = await ownCall(twilioOf(config), viewer, asked);
  const { required, standing, paused } = await consentOf(config, deadline, own.conference.sid);
  if (required && !standing)
    throw new CustodyError('consent_missing', 'the caller has not agreed to the use of their voice');
  if (paused) throw new CustodyError('call_paused', 'the recording of this call is paused: resume it first');
  return own;
}
