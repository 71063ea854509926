import type { Command } from 'commander';
import { ask } from './ask.ts';
import { anewOption, jsonOption, printRun, runWork } from './run-work.ts';

interface RebuildFlags {
  acceptUnsigned?: boolean;
  yes?: boolean;
  dryRun?: boolean;
  anew?: boolean;
  json?: boolean;
}

const accepting = `Anyone with the public key can write a sidecar that no listed key has signed. Its facts (owner, caller, direction,
times) are restored as unproven: until Twilio proves them, the call is no agent's own, and nothing of it is deleted.
The audit log has an entry for each.`;

export function registerCatalog(program: Command): void {
  const catalog = program
    .command('catalog')
    .description('rebuild the catalog of recordings, and sign what describes them in the bucket');
  catalog
    .command('rebuild')
    .description('rebuild a lost catalog from the bucket and from what Twilio still has')
    .option(
      '--accept-unsigned',
      'also restore from sidecars without a valid signature, as unproven, if the signing key is lost',
    )
    .option('--yes', 'with --accept-unsigned: restore without asking')
    .option('--dry-run', 'count what would be restored; change nothing')
    .option(...anewOption)
    .option(...jsonOption)
    .action(async ({ acceptUnsigned, yes, dryRun, anew, json }: RebuildFlags) => {
      if (acceptUnsigned && !dryRun && !yes && !(await agreed(json))) {
        process.exitCode = 1;
        return;
      }
      const options = { ...(acceptUnsigned && { acceptUnsigned }), ...(dryRun && { dryRun }) };
      const ended = await runWork('rebuild', options, undefined, { anew });
      printRun(ended, json);
      const { unsigned = 0 } = ended.counts;
      if (unsigned > 0 && !acceptUnsigned)
        console.error(
          `${unsigned} sidecars have no signature of a listed key: only their SIDs were restored. List the key that signed them (docs/keys.md), or see docs/reconcile.md on --accept-unsigned.`,
        );
    });
  catalog
    .command('sign')
    .description('sign the sidecars that have no signature yet, as the host does every hour')
    .option('--again', 'also those whose key is no longer listed, for example after a key was lost')
    .option(...anewOption)
    .option(...jsonOption)
    .action(async ({ again, anew, json }: { again?: boolean; anew?: boolean; json?: boolean }) => {
      const ended = await runWork('sign-sidecars', again ? { again } : {}, undefined, { anew });
      printRun(ended, json);
      if (Object.keys(ended.counts).some((name) => name.startsWith('failed_'))) process.exitCode = 1;
    });
}

async function agreed(json: boolean | undefined): Promise<boolean> {
  if (!json) console.error(accepting);
  if (process.stdin.isTTY && !json) return ask('Restore from them? [y/N] ');
  console.error('Nothing changed: there is no terminal to ask at, so add --yes.');
  return false;
}
