import { CustodyError } from '@flex-custody/core';
import type { Command } from 'commander';
import { setHere, storedSettings, whyNotStored } from '../config/stored-settings.ts';
import { loadPartOfConfig } from '../config.ts';
import { createSecretKeys } from '../secrets/secret-keys.ts';
import { checkSecret, isSecretName, nameRule } from '../secrets/secrets.ts';
import { askHidden } from './ask-hidden.ts';
import { readText } from './file-input.ts';
import { withOperatorApi } from './operator-api.ts';
import { printJson, table } from './output.ts';

interface Flags {
  json?: boolean;
}

export function registerSecrets(program: Command): void {
  const secrets = program
    .command('secrets')
    .description('store secrets, encrypted in the database; a stored value is never printed');
  secrets
    .command('set')
    .description(
      'store a secret instead of an earlier one; asks for the value, which the terminal does not show',
    )
    .argument('<name>', 'of a setting, or of any other secret')
    .argument('[source]', '- reads the value from standard input')
    .option('--json', '{name, set}')
    .action(async (name: string, source: string | undefined, { json }: Flags, command: Command) => {
      refuseName(name, command);
      const why = whyNotStored(name);
      if (why !== undefined) command.error(`error: ${name} ${why}`);
      if (source !== undefined && source !== '-')
        command.error(
          'error: the value is no argument, since process lists and the history of the shell show it: leave it out to be asked, or pipe it to -',
        );
      if (source === undefined && !process.stdin.isTTY)
        command.error('error: there is no terminal to ask at: pipe the value to -');
      const config = loadPartOfConfig(['accountSid', 'database', 'keyConfig', 'secretsKeys']);
      refuseWithEmbedded(name, config.database);
      const value = source === '-' ? withoutEnd(await readText('-')) : await asked(name);
      checkSecret(name, value);
      // Sealed here: where a running host has the database, the value does not leave this process.
      const sealed = await createSecretKeys(config).seal(name, value);
      await withOperatorApi((api) => api.setSecret(sealed));
      if (json) printJson({ name, set: true });
      else console.log(`Stored ${name}.`);
      if (isSetting(name)) sayWhenItCounts(name);
    });
  secrets
    .command('list')
    .description('the names of the stored secrets: when each was set, by whom, and the key that encrypts it')
    .option('--json', '[{name, setAt, by, version, keyId}]')
    .action(({ json }: Flags) =>
      withOperatorApi(async (api) => {
        const all = (await api.secrets()).map(({ sealed: _, ...shown }) => shown);
        if (json) printJson(all);
        else if (all.length === 0) console.log('No secrets are stored.');
        else {
          const rows = all.map(({ name, setAt, by, version, keyId }) => [name, setAt, by, version, keyId]);
          console.log(table(['NAME', 'SET', 'BY', 'VERSION', 'KEY'], rows).join('\n'));
        }
      }),
    );
  secrets
    .command('remove')
    .description('remove a stored secret')
    .argument('<name>', 'as `secrets list` shows it')
    .option('--json', '{name, removed}')
    .action((name: string, { json }: Flags, command: Command) => {
      refuseName(name, command);
      return withOperatorApi(async (api) => {
        const { removed } = await api.removeSecret(name);
        if (!removed) throw new CustodyError('secret_unknown', `the store has no secret ${name}`);
        if (json) printJson({ name, removed });
        else console.log(`Removed ${name}.`);
        if (isSetting(name) && !isHere(name))
          console.error('It is not in this environment either: a host that needs it does not start again.');
      });
    });
}

/** Does not repeat what is no name: it may be a value, as in NAME=VALUE. */
function refuseName(name: string, command: Command): void {
  if (!isSecretName(name)) command.error(`error: ${nameRule}, and no value`);
}

/** While a host has the embedded database open, this command line proves itself to the host by the media secret. */
function refuseWithEmbedded(name: string, database: object): void {
  if (name !== 'CUSTODY_MEDIA_SECRET' || 'url' in database) return;
  throw new CustodyError(
    'secret_invalid',
    `${name} must stay in the environment with the embedded database: the command line asks the running host with it`,
  );
}

/** Commands that write a value, such as `openssl`, end it with a line feed. */
const withoutEnd = (text: string): string => text.replace(/\r?\n$/, '');

async function asked(name: string): Promise<string> {
  const [first = '', again] = await askHidden([`Value of ${name}: `, 'The same again: ']);
  if (first !== again)
    throw new CustodyError(
      'secret_invalid',
      `${name} was typed differently the second time: nothing was stored`,
    );
  return first;
}

const isSetting = (name: string) => storedSettings.some((setting) => setting === name);
const isHere = (name: string) => setHere().some((setting) => setting === name);

function sayWhenItCounts(name: string): void {
  console.error(
    isHere(name)
      ? `${name} is set in this environment too, which wins: remove it there, and restart the hosts.`
      : 'Hosts read it at their next start.',
  );
}
