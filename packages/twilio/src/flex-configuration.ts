import { asWorkspaceSid, CustodyError, type WorkspaceSid } from '@flex-custody/core';
import { type Connection, read } from './connection.ts';
import { twilioError } from './errors.ts';

/** What of the Flex configuration concerns us. */
export interface FlexConfiguration {
  /** Everybody's, ours and other plugins'; written as a whole or not at all. */
  uiAttributes: Readonly<Record<string, unknown>>;
  /** Flex's own recording of every voice call. */
  callRecordingEnabled: boolean;
  callRecordingWebhookUrl: string | undefined;
  /** Flex's TaskRouter workspace: Twilio's to say, never written. */
  workspaceSid?: WorkspaceSid;
}

export interface ReleasedPlugin {
  name: string;
  version: string;
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

/** Source: https://www.twilio.com/docs/flex/developer/plugins/api/release */
export interface TwilioFlexPlugins {
  /** Plugins of the active release; undefined where none was ever released. */
  releasedPlugins(): Promise<ReleasedPlugin[] | undefined>;
}

const asObject = (value: unknown): Record<string, unknown> => {
  if (value === null || value === undefined) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  // Merging into what cannot be read would take it away.
  throw new CustodyError('twilio_answer', "Twilio's Flex configuration has ui_attributes that are no object");
};

export function flexConfigurations({
  flex,
  accountSid,
}: Connection): TwilioFlexConfiguration & TwilioFlexPlugins {
  return {
    flexConfiguration: () =>
      read('the Flex configuration', async () => {
        const found = await (await flex()).configuration().fetch();
        const workspaceSid = asWorkspaceSid(found.taskrouterWorkspaceSid);
        return {
          uiAttributes: asObject(found.uiAttributes),
          callRecordingEnabled: found.callRecordingEnabled === true,
          callRecordingWebhookUrl: found.callRecordingWebhookUrl || undefined,
          ...(workspaceSid && { workspaceSid }),
        };
      }),
    releasedPlugins: () =>
      read('the released plugins', async () => {
        const api = await flex();
        const { configurationSid } = await api.pluginReleases('active').fetch();
        const found = await api.pluginConfigurations(configurationSid).plugins.list({ limit: 100 });
        return found.map(({ uniqueName, version }) => ({ name: uniqueName, version }));
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
