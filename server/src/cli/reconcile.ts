import { type Command, InvalidArgumentError } from 'commander';
import { readFrom } from '../ingest/index.ts';
import { anewOption, jsonOption, printRun, runWork } from './run-work.ts';

/** A day (UTC), or a moment. @returns ISO 8601 */
export function moment(text: string): string {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const at = new Date(isDay ? `${text}T00:00:00Z` : text);
  if (Number.isNaN(at.getTime()) || !/^\d{4}-\d{2}-\d{2}/.test(text))
    throw new InvalidArgumentError('a day such as 2026-11-01, or a moment such as 2026-11-01T08:00:00Z');
  return at.toISOString();
}

interface Flags {
  since: string;
  until?: string;
  dryRun?: boolean;
  bucket: boolean;
  anew?: boolean;
  json?: boolean;
}

export function registerReconcile(program: Command): void {
  program
    .command('reconcile')
    .description("compare Twilio's list, the catalog and the bucket; copy what is missing")
    .requiredOption('--since <day>', 'compare recordings that Twilio made from then on', moment)
    .option('--until <day>', 'and before then', moment)
    .option('--dry-run', 'count what is missing; change nothing')
    .option('--no-bucket', "only Twilio's list: the bucket is not compared")
    .option(...anewOption)
    .option(...jsonOption)
    .action(async ({ since, until, dryRun, bucket, anew, json }: Flags) => {
      if (until !== undefined && until <= since)
        throw new InvalidArgumentError('--until must be later than --since');
      const options = {
        since,
        ...(until && { until }),
        ...(dryRun && { dryRun }),
        ...(!bucket && { withoutBucket: true }),
      };
      const ended = await runWork('reconcile', options, undefined, { anew });
      printRun(ended, json);
    });
}

interface ImportFlags {
  from: string;
  fromEndpoint?: string;
  fromRegion?: string;
  dryRun?: boolean;
  repairHeader?: boolean;
  deletePlain?: boolean;
  anew?: boolean;
  json?: boolean;
}

export function archive(text: string): string {
  try {
    readFrom(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
  return text;
}

export function registerImport(program: Command): void {
  program
    .command('import')
    .description(
      'encrypt and copy recordings that an older system stored unencrypted under RE… names; the old objects stay',
    )
    .requiredOption('--from <s3-url>', 's3://bucket/prefix, read with the credentials of this host', archive)
    .option('--from-endpoint <url>', "endpoint of that bucket, if it is not the one of this host's bucket")
    .option('--from-region <region>', 'its region')
    .option('--delete-plain', 'in a second run: delete each old object whose encrypted copy is verified')
    .option(
      '--repair-header',
      'also copy audio whose WAV header states sizes that are wrong by at most 256 bytes, with a correct header',
    )
    .option('--dry-run', 'count what would be copied and what refused; change nothing')
    .option(...anewOption)
    .option(...jsonOption)
    .addHelpText(
      'after',
      `
Each object that is refused is named, with the reason. Audio of an archive whose headers are off by some bytes:
  $ flex-custody import --from s3://old-calls/2024 --repair-header --dry-run
  $ flex-custody import --from s3://old-calls/2024 --repair-header`,
    )
    .action(async (flags: ImportFlags) => {
      const { from, fromEndpoint, fromRegion, dryRun, repairHeader, deletePlain, anew, json } = flags;
      const options = {
        from,
        ...(fromEndpoint && { endpoint: fromEndpoint }),
        ...(fromRegion && { region: fromRegion }),
        ...(dryRun && { dryRun }),
        ...(repairHeader && { repairHeader }),
        ...(deletePlain && { deletePlain }),
      };
      const ended = await runWork('import', options, undefined, { anew });
      printRun(ended, json);
    });
}
