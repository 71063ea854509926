import { type FlexSettings, readFlexSettings } from '@flex-custody/core';
import type { FlexConfiguration } from '@flex-custody/twilio';
import { planSetup } from '../setup-plan.ts';
import { advice, note, type Seen, unknownBefore } from './finding.ts';
import { orUndefined, type Scene } from './scene.ts';

const unread = unknownBefore('flex');
const settingsOf = (flex: FlexConfiguration): FlexSettings =>
  readFlexSettings(flex.uiAttributes['flex_custody']).settings;

export async function flex(scene: Scene): Promise<Seen> {
  if (await scene.flex()) return 'the configuration is readable';
  throw advice(
    'the account has no Flex',
    'set TWILIO_ACCOUNT_SID to the account that has Flex (https://console.twilio.com, Account Info)',
  );
}

export async function pluginSettings(scene: Scene): Promise<Seen> {
  const found = await orUndefined(scene.flex());
  if (!found) return unread;
  const ours = found.uiAttributes['flex_custody'];
  if (ours === undefined)
    throw advice('the plugins have no settings yet', 'flex-custody setup --functions-url https://…');
  const { settings, problems } = readFlexSettings(ours);
  if (problems.length > 0)
    throw advice(
      problems.map(({ path, must }) => `${path} must ${must}`).join('; '),
      'flex-custody setup --set path=JSON',
    );
  const { publicUrl } = scene.config;
  if (settings.hostUrl !== publicUrl)
    throw advice(
      `the plugins report to ${settings.hostUrl ?? 'no host'}, and CUSTODY_PUBLIC_URL is ${publicUrl}`,
      `flex-custody setup --host-url ${publicUrl}`,
    );
  return `readable; mode ${settings.recording.mode}, ${settings.recording.rules.length} rules`;
}

/** Whether each call is recorded once: by our plugin, or by Flex's own recording. */
export async function recordedOnce(scene: Scene): Promise<Seen> {
  const found = await orUndefined(scene.flex());
  if (!found) return unread;
  const { mode } = settingsOf(found).recording;
  const own = found.callRecordingEnabled;
  if (mode === 'ours' && own)
    throw advice(
      "each call is recorded twice: Flex's own call recording is on, and mode ours records too",
      'switch it off in the Console (Flex, Settings), or run flex-custody setup --mode theirs',
    );
  if (mode === 'theirs' && !own)
    throw advice(
      "nothing is recorded: mode theirs, and Flex's own call recording is off",
      'flex-custody setup switches it on',
    );
  if (mode === 'both' && own)
    return note(
      'each call is recorded twice, as mode both says',
      'flex-custody setup --mode ours, if once is enough',
    );
  return mode === 'ours' ? 'by our plugin, on the agent’s leg' : "by Flex's own call recording";
}

/** Modes theirs and both: Flex reports each recording to our Function. */
export async function webhook(scene: Scene): Promise<Seen> {
  const found = await orUndefined(scene.flex());
  if (!found) return unread;
  const { mode } = settingsOf(found).recording;
  if (mode === 'ours') return 'not needed: in mode ours the plugin names the callback';
  const path = 'call_recording_webhook_url';
  const wrong = planSetup(found, []).differences.find((difference) => difference.path === path);
  if (!wrong) return 'points to our Function';
  const what = wrong.before === undefined ? 'is not set' : 'points elsewhere';
  throw advice(
    `${path} ${what}: Flex does not report its recordings to our Function`,
    'flex-custody setup corrects it',
  );
}

const flag = 'insights-authenticated-recordings';
const isOn = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && (value as { enabled?: unknown }).enabled === true;

/**
 * With this flag Flex UI asks Twilio for every recording and never calls url_provider. Only logged-in users can read an
 * account's own flags; this check reads their overrides in the configuration.
 */
export async function insightsFlag(scene: Scene): Promise<Seen> {
  const found = await orUndefined(scene.flex());
  if (!found) return unread;
  const overrides = found.uiAttributes['featureOverrides'];
  if (
    typeof overrides === 'object' &&
    overrides !== null &&
    isOn((overrides as Record<string, unknown>)[flag])
  )
    throw advice(
      `${flag} is switched on in ui_attributes.featureOverrides: Insights never asks this host`,
      `remove ${flag} from ui_attributes.featureOverrides in the Flex configuration (https://flex-api.twilio.com/v1/Configuration)`,
    );
  return note(
    'not overridden; only a logged-in Flex user can see this flag',
    'read it in the browser of a logged-in Flex user: docs/doctor.md, "The flag of authenticated recordings"',
  );
}

const ours = ['plugin-recording', 'plugin-veridas'] as const;

export async function plugins(scene: Scene): Promise<Seen> {
  const found = await orUndefined(scene.flex());
  if (!found) return unread;
  const released = await scene.twilio.releasedPlugins();
  const versions = ours.flatMap((name) => {
    const plugin = released?.find((one) => one.name === name);
    return plugin ? [`${name} ${plugin.version}`] : [];
  });
  const { recording, veridas } = settingsOf(found);
  const wanted = ours.filter((name) =>
    name === 'plugin-recording' ? recording.mode !== 'theirs' : veridas.enabled,
  );
  const missing = wanted.filter((name) => !released?.some((one) => one.name === name));
  if (missing.length === 0) return `released: ${versions.join(', ') || 'none, and none is needed'}`;
  // Flex may also load plugins that no release names, such as a self-hosted one.
  return note(
    `the active release has no ${missing.join(' and no ')}`,
    'npm ci && twilio flex:plugins:deploy, then twilio flex:plugins:release, in its folder (docs/plugins.md)',
  );
}
