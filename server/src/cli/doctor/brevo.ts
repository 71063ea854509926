import { CustodyError } from '@flex-custody/core';
import type { BrevoConfig } from '../../connectors/brevo/config/brevo-config.ts';
import { openBrevoConfig } from '../../connectors/brevo/config/open.ts';
import { advice, note, type Seen } from './finding.ts';
import { orUndefined, type Scene } from './scene.ts';

/** Whether the connector's file can be read, its secrets are there, and nothing keeps it from sending. Asks Brevo nothing. */
export async function brevo({ config, health }: Pick<Scene, 'config' | 'health'>): Promise<Seen> {
  const { authToken, brevo: settings } = config;
  if (settings === undefined) return 'off: CUSTODY_BREVO_FILE is not set';
  const read = fileOf(config);
  if (!read?.enabled) return note(`off: ${settings.file} says enabled: false`);
  if (authToken === undefined)
    throw advice(
      'there is no auth token, with which alone the signatures of webhooks can be verified',
      'flex-custody secrets set TWILIO_AUTH_TOKEN',
    );
  const seen = await orUndefined(health());
  const state = seen === undefined || seen === 'locked' ? undefined : seen.work?.connector;
  if (state?.paused)
    throw advice(
      `nothing is sent since ${state.paused.sinceAt.toISOString()} (${state.paused.reason})`,
      'flex-custody connector test brevo',
    );
  if (state && !state.on)
    return note(`${settings.file}: valid; no host has switched it on yet`, 'restart the hosts');
  return `${settings.file}: valid`;
}

function fileOf(config: Scene['config']): BrevoConfig | undefined {
  try {
    return openBrevoConfig(config);
  } catch (error) {
    if (!(error instanceof CustodyError && error.code === 'brevo_invalid')) throw error;
    // Its first line is the file where others follow; each fault is `what is wrong: next step`.
    const [first = '', fault = first] = error.message.split('\n');
    const at = fault.lastIndexOf(': ');
    throw at < 0
      ? advice(fault, 'correct the file of CUSTODY_BREVO_FILE')
      : advice(fault.slice(0, at), fault.slice(at + 2));
  }
}
