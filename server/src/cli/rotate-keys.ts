import type { Command } from 'commander';
import type { KeyUse } from '../http/operators/operator-api.ts';
import { withOperatorApi } from './operator-api.ts';
import { anewOption, jsonOf, runWork, summary } from './run-work.ts';

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
    .description('wrap the data keys of sealed recordings anew, by the newest key; bodies stay as they are')
    .option('--from <key-id>', 'only what this key has sealed; else whatever the newest has not')
    .option('--verify', 'read each recording back as a whole before its old version goes')
    .option('--dry-run', 'count what would be renewed; change nothing')
    .option(...anewOption)
    .option('--json', 'one line: {name, counts, startedAt, resumedFrom?, finishedAt, finished}')
    .action(async ({ from, verify, dryRun, anew, json }: Flags) => {
      const options = { ...(from && { from }), ...(verify && { verify }), ...(dryRun && { dryRun }) };
      const ended = await runWork('rotate-keys', options, undefined, { anew });
      console.log(json ? jsonOf(ended) : `${summary(ended)}${dryRun ? '\nNothing was changed.' : ''}`);
      const isLeft = Object.keys(ended.counts).some((name) =>
        /^(failed_|changed_|old_versions_left)/.test(name),
      );
      if (isLeft) {
        console.error(
          'Some are left: `flex-custody keys status` tells which; the same command takes them up again.',
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
        console.log(json ? JSON.stringify(use) : statusText(use));
      }),
    );
}

/** What the catalog calls the key of a sidecar that was restored. */
const notNoted = 'unknown';

export function statusText(use: KeyUse): string {
  return `${sealedText(use)}\n\n${signedText(use)}`;
}

/** Who signed the sidecars. */
function signedText({ signers }: KeyUse): string {
  const width = Math.max(11, ...signers.map(({ keyId = '' }) => keyId.length));
  const lines = signers.map(({ keyId, signs, atHand, sidecars }) => {
    const is =
      keyId === undefined ? 'left to be signed' : signs ? 'signs' : atHand ? 'verifies' : 'NOT AT HAND';
    return `${(keyId ?? 'nobody').padEnd(width)}  ${String(sidecars).padStart(8)}  ${is}`;
  });
  return [`${'signing key'.padEnd(width)}  sidecars`, ...lines].join('\n');
}

function sealedText({ seals, keys }: KeyUse): string {
  if (seals === undefined) return 'S3 seals (sse-kms): its keys are its own affair.';
  const width = Math.max(6, ...keys.map(({ keyId }) => keyId.length));
  const lines = keys.map(({ keyId, atHand, recordings, sidecars }) => {
    const is =
      keyId === seals
        ? 'seals'
        : atHand
          ? 'opens'
          : keyId === notNoted
            ? 'not noted, as after a rebuild'
            : 'NOT AT HAND';
    const counts = [recordings, sidecars].map((number) => String(number).padStart(10));
    return `${keyId.padEnd(width)}  ${counts.join('')}  ${is}`;
  });
  const old = keys.filter(({ keyId, recordings, sidecars }) => keyId !== seals && recordings + sidecars > 0);
  const next =
    old.length === 0
      ? 'Nothing is sealed by an older key.'
      : `Older keys still hold ${old.reduce((sum, { recordings }) => sum + recordings, 0)} recordings: \`flex-custody rotate-keys\` renews them.`;
  return [`${'key'.padEnd(width)}  recordings  sidecars`, ...lines, next].join('\n');
}
