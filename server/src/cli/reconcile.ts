import { type Command, InvalidArgumentError } from 'commander';
import { readFrom } from '../ingest/index.ts';
import { anewOption, jsonOf, named, runWork, summary } from './run-work.ts';

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
    .description(
      "hold Twilio's list, the catalog and the bucket against each other, and take in what is missing",
    )
    .requiredOption('--since <day>', 'look at recordings that Twilio made from then on', moment)
    .option('--until <day>', 'and until then', moment)
    .option('--dry-run', 'count what is missing; change nothing')
    .option('--no-bucket', "only Twilio's list: the bucket is not compared")
    .option(...anewOption)
    .option('--json', 'one line: {name, counts, startedAt, resumedFrom?, finishedAt, finished}')
    .action(async ({ since, until, dryRun, bucket, anew, json }: Flags) => {
      if (until !== undefined && until <= since)
        throw new InvalidArgumentError(
          '--until must be later than --since: between them nothing is looked at',
        );
      const options = {
        since,
        ...(until && { until }),
        ...(dryRun && { dryRun }),
        ...(!bucket && { withoutBucket: true }),
      };
      const ended = await runWork('reconcile', options, undefined, { anew });
      console.log(json ? jsonOf(ended) : `${summary(ended)}${dryRun ? '\nNothing was changed.' : ''}`);
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

export function registerImport(program: Command): void {
  program
    .command('import')
    .description('seal what an older set-up has stored in plain under RE… names; what lies there stays')
    .requiredOption(
      '--from <s3-url>',
      's3://bucket/prefix, read with the credentials of this host',
      (text: string) => {
        readFrom(text);
        return text;
      },
    )
    .option('--from-endpoint <url>', "where that bucket is, if not where this host's own is")
    .option('--from-region <region>', 'its region')
    .option(
      '--delete-plain',
      'delete what lies there in plain, where the sealed copy is verified: in a second run',
    )
    .option(
      '--repair-header',
      'also seal whole audio whose header states sizes that are wrong by at most 256 bytes, with a right header',
    )
    .option('--dry-run', 'look at the same heads, and count what would be sealed and refused; change nothing')
    .option(...anewOption)
    .option(
      '--json',
      'one line: {name, counts, notes?, unnamed?, startedAt, resumedFrom?, finishedAt, finished}; notes: why an object was refused',
    )
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
      const said = `${summary(ended)}${named(ended)}${dryRun ? '\nNothing was changed.' : ''}`;
      console.log(json ? jsonOf(ended) : said);
    });
}
