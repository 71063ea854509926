import { CustodyError } from '@flex-custody/core';
import { type Connection, read } from './connection.ts';
import { twilioError } from './errors.ts';

/** What of the Flex configuration concerns us. */
export interface FlexConfiguration {
  /** Everybody's, ours and other plugins'; written as a whole or not at all. */
  uiAttributes: Readonly<Record<string, unknown>>;
  /** Flex's own recording of every voice call. */
  callRecordingEnabled: boolean;
  callRecordingWebhookUrl: string | undefined;
}

/** Source: https://www.twilio.com/docs/flex/developer/config/flex-configuration-rest-api */
export interface TwilioFlexConfiguration {
  /** Undefined where the account has no Flex. */
  flexConfiguration(): Promise<FlexConfiguration | undefined>;
  /**
   * Writes the fields that are given. `uiAttributes` replaces all of them, and Twilio has no condition to write under: read
   * right before.
   */
  updateFlexConfiguration(change: Partial<FlexConfiguration>): Promise<void>;
}

const asObject = (value: unknown): Record<string, unknown> => {
  if (value === null || value === undefined) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  // Merging into what cannot be read would take it away.
  throw new CustodyError('twilio_answer', "Twilio's Flex configuration has ui_attributes that are no object");
};

export function flexConfigurations({ flex, accountSid }: Connection): TwilioFlexConfiguration {
  return {
    flexConfiguration: () =>
      read('the Flex configuration', async () => {
        const found = await (await flex()).configuration().fetch();
        return {
          uiAttributes: asObject(found.uiAttributes),
          callRecordingEnabled: found.callRecordingEnabled === true,
          callRecordingWebhookUrl: found.callRecordingWebhookUrl || undefined,
        };
      }),
    async updateFlexConfiguration({ uiAttributes, callRecordingEnabled, callRecordingWebhookUrl }) {
      const body = {
        account_sid: accountSid,
        ...(uiAttributes && { ui_attributes: uiAttributes }),
        ...(callRecordingEnabled !== undefined && { call_recording_enabled: callRecordingEnabled }),
        ...(callRecordingWebhookUrl !== undefined && { call_recording_webhook_url: callRecordingWebhookUrl }),
      };
      try {
        await (await flex()).configuration().update(body);
      } catch (error) {
        throw twilioError('the Flex configuration to be changed', error);
      }
    },
  };
}
