import { existsSync } from 'node:fs';
import type { AccountSid } from '@flex-custody/core';
import { type Command, CommanderError, InvalidArgumentError } from 'commander';
import { isSet } from '../config/stored-settings.ts';
import { loadPartOfConfig } from '../config.ts';
import { brevoFileText } from '../connectors/brevo/file-text.ts';
import { createSecretKeys } from '../secrets/secret-keys.ts';
import { checkSecret } from '../secrets/secrets.ts';
import { ask } from './ask.ts';
import { askHidden } from './ask-hidden.ts';
import { askText } from './ask-text.ts';
import { type InstallSecret, installSecrets, linesOf, noLiteral } from './connector-install-secrets.ts';
import { connectorArgument } from './connector-name.ts';
import { readText } from './file-input.ts';
import { openOutput } from './file-output.ts';
import { withOperatorApi } from './operator-api.ts';
import { printJson, table } from './output.ts';

/** An option without a value is true: it is asked for. */
type Given = string | true;

interface Flags {
  accountSid?: string;
  apiKey?: Given;
  authToken?: Given;
  brevoKey?: Given;
  flexFlowSid?: string;
  consent?: string;
  file?: string;
  json?: boolean;
}

/** Where answers come from. Undefined without a terminal. */
export interface Asker {
  text(question: string): Promise<string>;
  hidden(question: string): Promise<string>;
  confirm(question: string): Promise<boolean>;
}

export interface InstallDeps {
  accountSid: AccountSid;
  environment: Readonly<Record<string, string | undefined>>;
  asker: Asker | undefined;
  /** Of standard input; read once. */
  input(): Promise<string>;
  /** Names in the store of secrets. */
  stored(): Promise<readonly string[]>;
  store(name: string, value: string): Promise<void>;
}

export interface Installed {
  file: string;
  /** What became of the file. */
  written: boolean;
  /** Secrets that were stored. */
  stored: string[];
  /** Lines that the host's environment needs. */
  environment: string[];
  advice: string[];
}

/**
 * Asks for what is missing, stores the secrets and writes the file.
 * @throws CommanderError where something is missing and there is no terminal; CustodyError `secret_invalid`, `interrupted`
 */
export async function install(deps: InstallDeps, flags: Flags): Promise<Installed> {
  const { accountSid, asker, environment } = deps;
  const file = flags.file ?? (environment['CUSTODY_BREVO_FILE'] || 'brevo.yaml');
  const consent = flags.consent ?? (await askConsent(asker));
  const flexFlowSid = flags.flexFlowSid ?? (await askFlow(asker));
  const secrets = await secretsOf(deps, flags);
  for (const { name, value } of secrets) checkSecret(name, value);
  for (const { name, value } of secrets) await deps.store(name, value);
  const text = brevoFileText({ accountSid, consent, ...(flexFlowSid !== undefined && { flexFlowSid }) });
  const written = await writeFile(file, text, asker);
  const key = typeof flags.apiKey === 'string' && flags.apiKey !== '-' ? flags.apiKey : undefined;
  return {
    ...{ file, written, stored: secrets.map(({ name }) => name) },
    environment: [
      ...(environment['CUSTODY_BREVO_FILE'] === file ? [] : [`CUSTODY_BREVO_FILE=${file}`]),
      ...(key === undefined || environment['TWILIO_API_KEY'] === key ? [] : [`TWILIO_API_KEY=${key}`]),
    ],
    advice: adviceFor(environment, key !== undefined, secrets),
  };
}

async function askConsent(asker: Asker | undefined): Promise<string> {
  if (!asker)
    throw incomplete(
      "say which customers may be in Brevo: --consent all, or --consent with the name of a task's attribute",
    );
  const answer = await asker.text(
    "Which customers may be in Brevo? all, or the name of the task's attribute that says that they agreed: ",
  );
  if (answer === '') throw incomplete('consent must be stated: all, or the name of an attribute');
  return answer;
}

async function askFlow(asker: Asker | undefined): Promise<string | undefined> {
  const answer = await asker?.text('SID of the Flex flow of legacy chat, FO… (Enter: none): ');
  return answer ? flowOf(answer) : undefined;
}

/** Those that an option asks for, and Brevo's key where nothing has it yet. */
async function secretsOf(deps: InstallDeps, flags: Flags): Promise<{ name: string; value: string }[]> {
  const stored = await deps.stored();
  const has = (name: string) => isSet(deps.environment, name) || stored.includes(name);
  const { brevo, twilio, token } = installSecrets;
  const wanted: { secret: InstallSecret; given: Given }[] = [];
  const want = (secret: InstallSecret, given: Given | undefined, isNeeded: boolean) => {
    if (given !== undefined || (isNeeded && !has(secret.name))) wanted.push({ secret, given: given ?? true });
  };
  want(brevo, flags.brevoKey, true);
  // A value is the key's SID; its secret is asked for.
  want(twilio, flags.apiKey === undefined ? undefined : flags.apiKey === '-' ? '-' : true, false);
  want(token, flags.authToken, !has('TWILIO_API_KEY'));
  const piped = wanted.filter(({ given }) => given === '-');
  const lines = piped.length === 0 ? [] : linesOf(await deps.input(), piped.length);
  const found: { name: string; value: string }[] = [];
  for (const { secret, given } of wanted) {
    if (given === '-') found.push({ name: secret.name, value: lines.shift() ?? '' });
    else if (deps.asker) found.push({ name: secret.name, value: await deps.asker.hidden(secret.question) });
    else
      throw incomplete(`${secret.name} is missing, and there is no terminal to ask at: ${secret.option} -`);
  }
  return found;
}

/** Never over another file without asking. */
async function writeFile(file: string, text: string, asker: Asker | undefined): Promise<boolean> {
  const exists = existsSync(file);
  if (exists && !(await asker?.confirm(`${file} exists. Replace it? [y/N] `))) return false;
  const output = openOutput(file, exists);
  output.stream.end(text);
  await new Promise<void>((resolve, reject) => {
    output.stream.once('finish', resolve).once('error', reject);
  });
  await output.keep();
  return true;
}

function adviceFor(
  environment: InstallDeps['environment'],
  hasKey: boolean,
  secrets: readonly { name: string }[],
): string[] {
  const has = (name: string) => isSet(environment, name) || secrets.some((one) => one.name === name);
  return [
    ...(hasKey || has('TWILIO_API_KEY')
      ? []
      : [
          'Prefer an API key of Twilio to the auth token for requests: it can be revoked alone (--api-key SK…).',
        ]),
    'The signatures of webhooks still need the auth token (TWILIO_AUTH_TOKEN): an API key cannot verify them.',
  ];
}

/** Unlike an InvalidArgumentError it does not print the word, which may be a secret. */
const incomplete = (message: string) => new CommanderError(2, 'flex-custody.install', message);

export function installedText({ file, written, stored, environment, advice }: Installed): string {
  const rows = [
    ...stored.map((name) => [name, 'stored, encrypted']),
    [file, written ? 'written' : 'kept as it is'],
  ];
  return [
    ...table(['WHAT', 'RESULT'], rows),
    ...(environment.length === 0
      ? []
      : [
          '',
          "Add to the host's environment (.env), on every host:",
          ...environment.map((one) => `  ${one}`),
        ]),
    '',
    ...advice,
    '',
    'Next: flex-custody connector test brevo',
  ].join('\n');
}

export function registerConnectorInstall(connector: Command): void {
  connector
    .command('install')
    .description(
      'set a connector up: asks for what is missing, stores the secrets, writes the file; a secret is never an argument',
    )
    .addArgument(connectorArgument())
    .option('--account-sid <sid>', "must be the host's own", accountOf)
    .option(
      '--api-key [sid]',
      "SID of Twilio's API key, SK…, whose secret is asked for; - reads the secret",
      keyOf,
    )
    .option(
      '--auth-token [-]',
      "Twilio's auth token: is asked for; - reads it from standard input",
      secretOf('--auth-token', 'TWILIO_AUTH_TOKEN'),
    )
    .option(
      '--brevo-key [-]',
      "Brevo's API key: is asked for; - reads it from standard input",
      secretOf('--brevo-key', 'CUSTODY_BREVO_API_KEY'),
    )
    .option('--flex-flow-sid <sid>', 'legacy chat alone: tasks of this flow', flowOf)
    .option(
      '--consent <attribute>',
      "all, or the task's attribute that says that the customer agreed",
      attributeOf,
    )
    .option('--file <path>', 'where to write the settings; by default CUSTODY_BREVO_FILE, or brevo.yaml')
    .option('--json', '{file, written, stored, environment, advice}; asks nothing')
    .action((_name: string, flags: Flags, command: Command) => {
      const config = loadPartOfConfig(['accountSid', 'keyConfig', 'secretsKeys']);
      if (flags.accountSid !== undefined && flags.accountSid !== config.accountSid)
        command.error(
          'error: --account-sid is not the TWILIO_ACCOUNT_SID of this host, which follows one account',
        );
      const keys = createSecretKeys(config);
      const asker = process.stdin.isTTY && !flags.json ? terminal : undefined;
      return withOperatorApi(async (api) => {
        const installed = await install(
          {
            ...{ accountSid: config.accountSid, environment: process.env, asker },
            input: () => readText('-'),
            stored: async () => (await api.secrets()).map(({ name }) => name),
            store: async (name, value) => api.setSecret(await keys.seal(name, value)),
          },
          flags,
        );
        if (flags.json) printJson(installed);
        else console.log(installedText(installed));
      });
    });
}

const terminal: Asker = {
  text: askText,
  hidden: async (question) => (await askHidden([question]))[0] ?? '',
  confirm: ask,
};

const shaped =
  (letters: string, what: string) =>
  (text: string): string => {
    if (new RegExp(`^${letters}[0-9a-f]{32}$`).test(text)) return text;
    throw new InvalidArgumentError(`the SID of ${what}: ${letters} and 32 characters of 0-9 a-f`);
  };

const accountOf = shaped('AC', 'an account');
const flowOf = shaped('FO', 'a Flex flow');

function keyOf(text: string): string {
  if (text === '-' || /^SK[0-9a-f]{32}$/.test(text)) return text;
  throw incomplete(noLiteral('--api-key', installSecrets.twilio.name));
}

const secretOf =
  (option: string, name: string) =>
  (text: string): string => {
    if (text === '-') return text;
    throw incomplete(noLiteral(option, name));
  };

function attributeOf(text: string): string {
  if (/^[\w.-]{1,128}$/.test(text)) return text;
  throw new InvalidArgumentError("all, or the name of a task's attribute");
}
