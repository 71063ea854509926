import type { Command } from 'commander';
import { ask } from './ask.ts';
import { anewOption, jsonOf, runWork, summary } from './run-work.ts';

interface RebuildFlags {
  acceptUnsigned?: boolean;
  yes?: boolean;
  dryRun?: boolean;
  anew?: boolean;
  json?: boolean;
}

const accepting = `Sidecars that no listed key has signed may be anybody's who has the public key. Their facts (owner, caller,
direction, times) are restored as unproven: nobody's own call, and no deletion rests on them, until Twilio proves them.
Each one is noted in the audit log.`;

export function registerCatalog(program: Command): void {
  const catalog = program.command('catalog').description('the list of all recordings');
  catalog
    .command('rebuild')
    .description('put a lost catalog together again, from the bucket and what Twilio still knows')
    .option(
      '--accept-unsigned',
      'believe sidecars without a valid signature too, as unproven: for when the signing key is lost',
    )
    .option('--yes', 'with --accept-unsigned: do it without asking')
    .option('--dry-run', 'count what would be restored; change nothing')
    .option(...anewOption)
    .option('--json', 'one line: {name, counts, startedAt, resumedFrom?, finishedAt, finished}')
    .action(async ({ acceptUnsigned, yes, dryRun, anew, json }: RebuildFlags) => {
      if (acceptUnsigned && !dryRun && !yes && !(await agreed(json))) {
        process.exitCode = 1;
        return;
      }
      const options = { ...(acceptUnsigned && { acceptUnsigned }), ...(dryRun && { dryRun }) };
      const ended = await runWork('rebuild', options, undefined, { anew });
      console.log(json ? jsonOf(ended) : `${summary(ended)}${dryRun ? '\nNothing was changed.' : ''}`);
      const { unsigned = 0 } = ended.counts;
      if (unsigned > 0 && !acceptUnsigned)
        console.error(
          `${unsigned} sidecars have no signature of a listed key: of them only the SID was believed. List the key that signed them (docs/keys.md), or see docs/reconcile.md on --accept-unsigned.`,
        );
    });
  catalog
    .command('sign')
    .description('sign the sidecars that are left, from the catalog, as the host does by the hour')
    .option('--again', 'also those of keys that are not listed any more: the key is lost')
    .option(...anewOption)
    .option('--json', 'one line: {name, counts, startedAt, resumedFrom?, finishedAt, finished}')
    .action(async ({ again, anew, json }: { again?: boolean; anew?: boolean; json?: boolean }) => {
      const ended = await runWork('sign-sidecars', again ? { again } : {}, undefined, { anew });
      console.log(json ? jsonOf(ended) : summary(ended));
      if (Object.keys(ended.counts).some((name) => name.startsWith('failed_'))) process.exitCode = 1;
    });
}

async function agreed(json: boolean | undefined): Promise<boolean> {
  if (!json) console.error(accepting);
  if (process.stdin.isTTY && !json) return ask('Restore from them? [y/N] ');
  console.error('Nothing was changed: nobody can be asked here, so add --yes.');
  return false;
}
