import type { Command } from 'commander';
import { certificatesOf, report } from './erase.ts';
import { type How, jsonOption, runWork } from './run-work.ts';

interface Flags {
  yes?: boolean;
  json?: boolean;
}

export function registerRecorderShort(recorder: Command): void {
  recorder
    .command('short')
    .description(
      'show the calls below the minimum length: which recordings would be deleted, and why others stay; a worker deletes them every five minutes (docs/recorder.md)',
    )
    .option('--yes', 'delete their audio now, even where that is far more than usual')
    .option(...jsonOption)
    .action(async ({ yes, json }: Flags) => {
      let certificates: string[] = [];
      const after: How['after'] = async (api, ended) => {
        certificates = await certificatesOf(api, ended);
      };
      const options = yes ? { yes: true } : { dryRun: true };
      report(await runWork('short-calls', options, undefined, { after }), certificates, json);
    });
}
