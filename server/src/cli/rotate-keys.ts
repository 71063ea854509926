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
    .description('re-encrypt the data keys of recordings under the newest key; audio is not rewritten')
    .option('--from <key-id>', 'only recordings of this key; by default those of every key but the newest')
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
          'Some recordings were not re-encrypted. Run the same command again; `flex-custody keys status` counts them by key.',
        );
        process.exitCode = 1;
      }
    });
}

export function registerKeyStatus(keys: Command): void {
  keys
    .command('status')
    .description('recordings per key, and whether this host has the key')
    .option(
      '--json',
      '{seals, keys: [{keyId, atHand, recordings, sidecars}], signers: [{keyId, signs, atHand, sidecars}]}',
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

function sealedText({ seals, keys }: KeyUse): string {
  if (seals === undefined) return 'S3 encrypts (mode sse-kms): its keys are managed in KMS.';
  const rows = keys.map(({ keyId, atHand, recordings, sidecars }) => {
    const is =
      keyId === seals
        ? 'encrypts'
        : atHand
          ? 'decrypts'
          : keyId === notNoted
            ? 'not known, as after a rebuild'
            : 'NOT ON THIS HOST';
    return [keyId, recordings, sidecars, is];
  });
  const older = keys.filter(({ keyId }) => keyId !== seals);
  const sum = (of: 'recordings' | 'sidecars') => older.reduce((all, key) => all + key[of], 0);
  const left = `${sum('recordings')} recordings and ${sum('sidecars')} sidecars`;
  return [
    ...table(['KEY', 'RECORDINGS', 'SIDECARS', 'USE'], rows),
    sum('recordings') + sum('sidecars') === 0
      ? 'Nothing is encrypted under an older key.'
      : `${left} are encrypted under older keys: \`flex-custody rotate-keys\` re-encrypts their data keys.`,
  ].join('\n');
}
