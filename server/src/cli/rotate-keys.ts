import type { Command } from 'commander';
import type { KeyUse } from '../http/operators/operator-api.ts';
import { withOperatorApi } from './operator-api.ts';
import { printJson, table } from './output.ts';
import { anewOption, jsonOption, printRun, runWork } from './run-work.ts';

interface Flags {
  from?: string;
  verify?: boolean;
  dryRun?: boolean;
  anew?: boolean;
  json?: boolean;
}

export function registerRotateKeys(program: Command): void {
  program
    .command('rotate-keys')
    .description(
      're-encrypt the data keys of recordings, and the stored secrets, under the newest key; audio is not rewritten',
    )
    .option('--from <key-id>', 'only what is under this key; by default those of every key but the newest')
    .option('--verify', 'read each recording back in full before its old version is deleted')
    .option('--dry-run', 'count what would be re-encrypted; change nothing')
    .option(...anewOption)
    .option(...jsonOption)
    .action(async ({ from, verify, dryRun, anew, json }: Flags) => {
      const options = { ...(from && { from }), ...(verify && { verify }), ...(dryRun && { dryRun }) };
      const ended = await runWork('rotate-keys', options, undefined, { anew });
      printRun(ended, json);
      const isLeft = Object.keys(ended.counts).some((name) =>
        /^(failed_|changed_|old_versions_left)/.test(name),
      );
      if (isLeft) {
        console.error(
          'Something was not re-encrypted. Run the same command again; `flex-custody keys status` counts by key.',
        );
        process.exitCode = 1;
      }
    });
}

export function registerKeyStatus(keys: Command): void {
  keys
    .command('status')
    .description('recordings and secrets per key, and whether this host has the key')
    .option(
      '--json',
      '{seals, sealsSecrets, keys: [{keyId, atHand, recordings, sidecars, secrets}], signers: [{keyId, signs, atHand, sidecars}]}',
    )
    .action(({ json }: { json?: boolean }) =>
      withOperatorApi(async (api) => {
        const use = await api.keys();
        if (json) printJson(use);
        else console.log(statusText(use));
      }),
    );
}

/** The key id that the catalog has for a restored sidecar. */
const notNoted = 'unknown';

export function statusText(use: KeyUse): string {
  return `${sealedText(use)}\n\n${signedText(use)}`;
}

/** Who signed the sidecars. */
function signedText({ signers }: KeyUse): string {
  const rows = signers.map(({ keyId, signs, atHand, sidecars }) => {
    const is =
      keyId === undefined ? 'not signed yet' : signs ? 'signs' : atHand ? 'verifies' : 'NOT ON THIS HOST';
    return [keyId, sidecars, is];
  });
  return rows.length === 0
    ? 'No signed sidecars.'
    : table(['SIGNING KEY', 'SIDECARS', 'USE'], rows).join('\n');
}

function sealedText(use: KeyUse): string {
  const { seals, sealsSecrets, keys } = use;
  const isNewest = (keyId: string) => keyId === seals || keyId === sealsSecrets;
  const rows = keys.map(({ keyId, atHand, recordings, sidecars, secrets = 0 }) => {
    const is = isNewest(keyId)
      ? 'encrypts'
      : atHand
        ? 'decrypts'
        : keyId === notNoted
          ? 'not known, as after a rebuild'
          : 'NOT ON THIS HOST';
    return { keyId, recordings, sidecars, secrets, is };
  });
  if (seals === undefined) {
    const ofSecrets = rows.map(({ keyId, secrets, is }) => [keyId, secrets, is]);
    return [
      'S3 encrypts the recordings (mode sse-kms): its keys are managed in KMS.',
      ...(rows.length > 0 ? table(['KEY', 'SECRETS', 'USE'], ofSecrets) : []),
    ].join('\n');
  }
  const older = rows.filter(({ keyId }) => !isNewest(keyId));
  const sum = (of: 'recordings' | 'sidecars' | 'secrets') => older.reduce((all, key) => all + key[of], 0);
  const left = `${sum('recordings')} recordings, ${sum('sidecars')} sidecars and ${sum('secrets')} secrets`;
  return [
    ...table(
      ['KEY', 'RECORDINGS', 'SIDECARS', 'SECRETS', 'USE'],
      rows.map(({ keyId, recordings, sidecars, secrets, is }) => [keyId, recordings, sidecars, secrets, is]),
    ),
    sum('recordings') + sum('sidecars') + sum('secrets') === 0
      ? 'Nothing is encrypted under an older key.'
      : `${left} are encrypted under older keys: \`flex-custody rotate-keys\` encrypts them under the newest one.`,
  ].join('\n');
}
