import { type Command, InvalidArgumentError } from 'commander';
import { moment } from './reconcile.ts';
import { since } from './recorder-repair.ts';
import { anewOption, jsonOption, printRun, runWork } from './run-work.ts';

interface Flags {
  since: string;
  until?: string;
  dryRun?: boolean;
  anew?: boolean;
  json?: boolean;
}

export function registerRecorderRecover(recorder: Command): void {
  recorder
    .command('recover')
    .description(
      "ask Twilio for the recordings that agents' segments lack, register them, and link recordings without a task to the segments of their call",
    )
    .requiredOption('--since <time>', 'contacts that opened from then on: 2h, 3d, a day, or a moment', since)
    .option('--until <time>', 'and before then', moment)
    .option('--dry-run', 'count what is missing; change nothing')
    .option(...anewOption)
    .option(...jsonOption)
    .action(async ({ since: from, until, dryRun, anew, json }: Flags) => {
      if (until !== undefined && until <= from)
        throw new InvalidArgumentError('--until must be later than --since');
      const options = { since: from, ...(until && { until }), ...(dryRun && { dryRun }) };
      printRun(await runWork('recover', options, undefined, { anew }), json);
    });
}
