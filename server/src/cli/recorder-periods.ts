import { type Command, InvalidArgumentError } from 'commander';
import { moment } from './reconcile.ts';
import { anewOption, jsonOption, printRun, runWork } from './run-work.ts';

interface Flags {
  since: string;
  until?: string;
  dryRun?: boolean;
  anew?: boolean;
  json?: boolean;
}

const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A time back from now such as `2h`, a day (UTC), or a moment. @returns ISO 8601 */
export function since(text: string): string {
  const [, count, unit] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  if (count === undefined) return moment(text);
  const ms = Number(count) * units[unit as keyof typeof units];
  if (ms === 0) throw new InvalidArgumentError('a time of more than nothing, such as 2h');
  // Whole minutes: the same command some seconds later continues the same run.
  return new Date(Math.floor((Date.now() - ms) / 60_000) * 60_000).toISOString();
}

const commands = {
  repair: {
    description:
      "compare TaskRouter's events with the inbox, and take in those that the stream lost; 30 days at most, and no events of voice and conversations",
    since: 'compare events from then on: 2h, 3d, a day, or a moment',
  },
  recover: {
    description:
      "ask Twilio for the recordings that agents' segments lack, register them, and link recordings without a task to the segments of their call",
    since: 'contacts that opened from then on: 2h, 3d, a day, or a moment',
  },
} as const;

/** Commands that look again at a period. */
export function registerRecorderPeriods(recorder: Command): void {
  for (const name of ['repair', 'recover'] as const)
    recorder
      .command(name)
      .description(commands[name].description)
      .requiredOption('--since <time>', commands[name].since, since)
      .option('--until <time>', 'and before then', moment)
      .option('--dry-run', 'count what is missing; change nothing')
      .option(...anewOption)
      .option(...jsonOption)
      .action(async ({ since: from, until, dryRun, anew, json }: Flags) => {
        if (until !== undefined && until <= from)
          throw new InvalidArgumentError('--until must be later than --since');
        const options = { since: from, ...(until && { until }), ...(dryRun && { dryRun }) };
        printRun(await runWork(name, options, undefined, { anew }), json);
      });
}
