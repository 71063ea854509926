import { asWorkspaceSid, CustodyError, isObject, type WorkspaceSid } from '@flex-custody/core';
import { type Connection, readAtTurn } from './connection.ts';
import { twilioError } from './errors.ts';
import { jsonTextAt } from './json-edit.ts';
import type { AdjustablePace } from './pace.ts';

/** What of the Flex configuration concerns us. */
export interface FlexConfiguration {
  /**
   * The settings of all plugins, as JSON text to the character; written as a whole or not at all. Most of it is
   * not ours: edit the text, and never write parsed JSON back.
   */
  uiAttributesText: string;
  /** The same, parsed, to look at. */
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

export type FlexConfigurationChange = Partial<
  Pick<FlexConfiguration, 'uiAttributesText' | 'callRecordingEnabled' | 'callRecordingWebhookUrl'>
>;

/** Source: https://www.twilio.com/docs/flex/developer/config/flex-configuration-rest-api */
export interface TwilioFlexConfiguration {
  /** Undefined where the account has no Flex. */
  flexConfiguration(): Promise<FlexConfiguration | undefined>;
  /**
   * Writes the fields that are given. `uiAttributesText` replaces all attributes, and Twilio has no condition to write
   * under: read right before.
   */
  updateFlexConfiguration(change: FlexConfigurationChange): Promise<void>;
}

/** Source: https://www.twilio.com/docs/flex/developer/plugins/api/release */
export interface TwilioFlexPlugins {
  /** Plugins of the active release; undefined where none was ever released. */
  releasedPlugins(): Promise<ReleasedPlugin[] | undefined>;
}

const uri = 'https://flex-api.twilio.com/v1/Configuration';

function configurationOf(body: string): FlexConfiguration {
  const found = parsed(body);
  const { ui_attributes: attributes } = found;
  const none = attributes === null || attributes === undefined;
  // Merging into what cannot be read would take it away.
  if (!none && !isObject(attributes)) throw unreadable('ui_attributes that are no object');
  const workspaceSid = asWorkspaceSid(found['taskrouter_workspace_sid']);
  const webhook = found['call_recording_webhook_url'];
  return {
    uiAttributesText: (none ? undefined : jsonTextAt(body, ['ui_attributes'])) ?? '{}',
    uiAttributes: none ? {} : attributes,
    callRecordingEnabled: found['call_recording_enabled'] === true,
    callRecordingWebhookUrl: typeof webhook === 'string' && webhook !== '' ? webhook : undefined,
    ...(workspaceSid && { workspaceSid }),
  };
}

function parsed(body: string): Record<string, unknown> {
  try {
    const found: unknown = JSON.parse(body);
    if (isObject(found)) return found;
  } catch {
    // Said below.
  }
  throw unreadable('no JSON object');
}

const unreadable = (what: string) =>
  new CustodyError('twilio_answer', `Twilio's Flex configuration has ${what}`);

export function flexConfigurations(
  { accountSid, flex, text }: Connection,
  pace: AdjustablePace,
): TwilioFlexConfiguration & TwilioFlexPlugins {
  return {
    flexConfiguration: () =>
      readAtTurn(pace, 'the Flex configuration', async () => configurationOf(await text('get', uri))),
    releasedPlugins: () =>
      readAtTurn(pace, 'the released plugins', async () => {
        const api = await flex();
        const { configurationSid } = await api.pluginReleases('active').fetch();
        const found = await api.pluginConfigurations(configurationSid).plugins.list({ limit: 100 });
        return found.map(({ uniqueName, version }) => ({ name: uniqueName, version }));
      }),
    async updateFlexConfiguration({ uiAttributesText, callRecordingEnabled, callRecordingWebhookUrl }) {
      const fields = [
        ['account_sid', JSON.stringify(accountSid)],
        ...(uiAttributesText === undefined ? [] : [['ui_attributes', uiAttributesText]]),
        ...(callRecordingEnabled === undefined
          ? []
          : [['call_recording_enabled', `${callRecordingEnabled}`]]),
        ...(callRecordingWebhookUrl === undefined
          ? []
          : [['call_recording_webhook_url', JSON.stringify(callRecordingWebhookUrl)]]),
      ];
      const body = fields.map(([name, value]) => `"${name}":${value}`).join(',');
      try {
        await text('post', uri, `{${body}}`);
      } catch (error) {
        throw twilioError('the Flex configuration to be changed', error);
      }
    },
  };
}
