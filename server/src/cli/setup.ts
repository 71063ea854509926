import { isDeepStrictEqual } from 'node:util';
import { CustodyError } from '@flex-custody/core';
import { createTwilio, type FlexConfiguration, type TwilioFlexConfiguration } from '@flex-custody/twilio';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { twilioCredentials } from '../config.ts';
import { loadWithSecrets } from '../secrets/open-config.ts';
import { openSigning } from '../signing/load.ts';
import { ask } from './ask.ts';
import { secretsOfHost } from './operator-api.ts';
import { linesOf, type Plan, planSetup, type SettingChange } from './setup-plan.ts';

interface Flags {
  functionsUrl?: string;
  hostUrl?: string;
  mode?: string;
  veridas?: boolean;
  vendorUrl?: string;
  set?: SettingChange[];
  yes?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

export interface SetupDeps {
  twilio: TwilioFlexConfiguration;
  /** This host's public URL, to which the plugins report unless another one is set. */
  hostUrl: string;
  print(text: string): void;
  /** Asks at the terminal; undefined without one. */
  confirm: ((question: string) => Promise<boolean>) | undefined;
}

/**
 * Shows what would change in the Flex configuration, asks, writes and looks again.
 * @returns false if the configuration still differs from the requested one
 * @throws CustodyError `flex_missing`, `configuration_changed`, `setup_unverified`, or as TwilioApi does
 */
export async function setup({ twilio, hostUrl, print, confirm }: SetupDeps, flags: Flags): Promise<boolean> {
  const before = await readNow(twilio);
  const plan = planSetup(before, wishesOf(flags), { host_url: hostUrl });
  const changes = plan.differences.length > 0;
  const mayWrite = changes && plan.problems.length === 0 && !flags.dryRun;
  if (!flags.json) print(textOf(plan));
  const answered = mayWrite && (flags.yes || (!flags.json && (await agreed(confirm, print))));
  if (answered) await write(twilio, before, plan);
  if (flags.json) {
    const { differences, problems, notes } = plan;
    const dryRun = flags.dryRun && { dryRun: true };
    print(
      JSON.stringify({ differences, problems, notes, ...dryRun, written: answered === true }, undefined, 2),
    );
  } else if (answered) print('Written and checked. Agents get it when they next load Flex.');
  const done = answered || !changes || flags.dryRun === true;
  return done && plan.problems.length === 0;
}

async function readNow(twilio: TwilioFlexConfiguration): Promise<FlexConfiguration> {
  const found = await twilio.flexConfiguration();
  if (found) return found;
  throw new CustodyError('flex_missing', 'the account has no Flex: check TWILIO_ACCOUNT_SID');
}

/** Twilio replaces `ui_attributes` as a whole and without conditions: the time in which another writer's change is lost is short. */
async function write(twilio: TwilioFlexConfiguration, before: FlexConfiguration, { change }: Plan) {
  // Compares the text too: another writer's text may parse to the same value.
  if (!isDeepStrictEqual(await readNow(twilio), before))
    throw new CustodyError(
      'configuration_changed',
      'another writer changed the Flex configuration meanwhile; nothing was written',
    );
  await twilio.updateFlexConfiguration(change);
  if (!isDeepStrictEqual(seen(await readNow(twilio)), seen({ ...before, ...change })))
    throw new CustodyError(
      'setup_unverified',
      'the Flex configuration is not what was written: another writer may have changed it at the same time',
    );
}

/** Twilio does not promise to keep a text: its answer may have other spaces or another order. */
function seen({ uiAttributesText, ...rest }: FlexConfiguration): unknown {
  return { ...rest, uiAttributes: JSON.parse(uiAttributesText) };
}

async function agreed(confirm: SetupDeps['confirm'], print: SetupDeps['print']): Promise<boolean> {
  if (confirm) return confirm('Write this? [y/N] ');
  print('Nothing written: there is no terminal to ask at, so add --yes.');
  return false;
}

function wishesOf(flags: Flags): SettingChange[] {
  const named: [string, unknown][] = [
    ['functions_url', flags.functionsUrl],
    ['host_url', flags.hostUrl],
    ['recording.mode', flags.mode],
    ['veridas.enabled', flags.veridas],
    ['veridas.vendor_url', flags.vendorUrl],
  ];
  return [...named.filter(([, value]) => value !== undefined), ...(flags.set ?? [])];
}

function textOf({ differences, problems, notes }: Plan): string {
  const lines = differences.flatMap(linesOf);
  return [
    ...(lines.length > 0 ? lines : ['The Flex configuration is already correct.']),
    ...notes.map((note) => `note: ${note}`),
    ...problems.map(({ path, must }) => `fix: ${path} must ${must}`),
    ...(problems.length > 0 ? ['Nothing is written until that is corrected.'] : []),
  ].join('\n');
}

const steps = /^[A-Za-z]\w*(\.[A-Za-z]\w*)*$/;

export function parseChange(text: string, so: SettingChange[] = []): SettingChange[] {
  const at = text.indexOf('=');
  const path = text.slice(0, Math.max(0, at));
  if (!steps.test(path)) throw new InvalidArgumentError('it is path=JSON, such as recording.internal=true');
  try {
    return [...so, [path, JSON.parse(text.slice(at + 1))]];
  } catch {
    throw new InvalidArgumentError(`the value of ${path} is not JSON; text needs its quotes: '${path}="…"'`);
  }
}

export function registerSetup(program: Command): void {
  program
    .command('setup')
    .description(
      'write the settings of the plugins into the Flex configuration; shows the difference and asks first',
    )
    .option('--functions-url <url>', 'where the Functions are deployed')
    .option(
      '--host-url <url>',
      'where plugins report to; by default CUSTODY_PUBLIC_URL, if nothing is set yet',
    )
    .addOption(
      new Option('--mode <mode>', "who records: our plugin, Flex's own recording, or both").choices([
        'ours',
        'theirs',
        'both',
      ]),
    )
    .option('--veridas', 'switch the voice biometrics on')
    .option('--no-veridas', 'switch them off')
    .option('--vendor-url <url>', "folder of the vendor's files, if the build does not have them")
    .option(
      '--set <path=JSON>',
      'any other setting below flex_custody; null removes it; repeat it for more',
      parseChange,
    )
    .option('--yes', 'write without asking')
    .option('--dry-run', 'show the difference only')
    .option(
      '--json',
      '{differences, problems, notes, dryRun?, written}; does not ask, so it writes only with --yes',
    )
    .action(async (flags: Flags) => {
      const config = await loadWithSecrets(
        ['accountSid', 'authToken', 'apiKey', 'workspaceSid', 'publicUrl', 'signing'],
        { otherwise: secretsOfHost },
      );
      const made = flags.dryRun ? undefined : (await openSigning(config.signing, async () => true)).made;
      if (made !== undefined)
        console.error(
          `Wrote ${made}, the key that signs sidecars and certificates: back it up with the other keys, and give it to every host.`,
        );
      const { accountSid, workspaceSid, publicUrl } = config;
      const twilio = createTwilio({ accountSid, workspaceSid, ...twilioCredentials(config) });
      const print = (text: string) => console.log(text);
      const confirm = process.stdin.isTTY ? ask : undefined;
      if (!(await setup({ twilio, hostUrl: publicUrl, print, confirm }, flags))) process.exitCode = 1;
    });
}
