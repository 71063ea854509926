import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { roleDocument } from '../recorder/event-streams/role-document.ts';
import { streamArn } from '../recorder/event-streams/wanted-sink.ts';
import type { Json, RunView } from '../runs/runs.ts';
import { printJson, table } from './output.ts';
import { jsonOf, runWork } from './run-work.ts';

interface Flags {
  sink: 'webhook' | 'kinesis';
  streamArn?: string;
  roleArn?: string;
  externalId?: string;
  printRole?: boolean;
  remove?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

export function registerRecorderSetup(recorder: Command): void {
  recorder
    .command('setup')
    .description(
      "create or check Twilio's side of the stream: sink, its test event, subscription; changes only its own, and only what is wrong",
    )
    .addOption(
      new Option('--sink <type>', "where Twilio delivers: this host's POST /events, or a Kinesis data stream")
        .choices(['webhook', 'kinesis'])
        .default('webhook'),
    )
    .option('--stream-arn <arn>', 'of the Kinesis data stream', arn)
    .option('--role-arn <arn>', 'of the role by which Twilio writes to the stream')
    .option('--external-id <id>', "that the role's trust asks for")
    .option('--print-role', 'only print the documents of that role')
    .option('--remove', "delete this host's own sink and subscription")
    .option('--dry-run', 'show what would change')
    .option(
      '--json',
      '{name, counts: {changed, problems}, dryRun?, notes, …}; with --print-role or without a role {externalId, trust, permissions}',
    )
    .addHelpText('after', '\nExit code 1: the notes name what must be done first.')
    .action(async (flags: Flags) => {
      const { sink, streamArn: stream, roleArn, externalId, remove, dryRun, json } = flags;
      if (sink === 'kinesis' && stream === undefined)
        throw new InvalidArgumentError('--sink kinesis needs --stream-arn');
      if (sink === 'webhook' && (stream ?? roleArn ?? externalId) !== undefined)
        throw new InvalidArgumentError('--stream-arn, --role-arn and --external-id need --sink kinesis');
      const isWithoutRole =
        stream !== undefined && !remove && (roleArn === undefined || externalId === undefined);
      if (stream !== undefined && (flags.printRole || isWithoutRole)) {
        printRole(stream, externalId ?? randomBytes(16).toString('hex'), json);
        if (!flags.printRole) process.exitCode = 1;
        return;
      }
      const kinesis = {
        arn: stream,
        ...(roleArn !== undefined && { roleArn }),
        ...(externalId !== undefined && { externalId }),
      };
      const options: Json = {
        ...(stream !== undefined && { kinesis }),
        ...(remove && { remove }),
        ...(dryRun && { dryRun }),
      };
      const ended = await runWork('recorder-setup', options, undefined, { anew: true });
      if (json) printJson(jsonOf(ended));
      else console.log(setupText(ended));
      if ((ended.counts['problems'] ?? 0) > 0) process.exitCode = 1;
    });
}

function arn(text: string): string {
  if (streamArn.test(text)) return text;
  throw new InvalidArgumentError('such as arn:aws:kinesis:eu-central-1:123456789012:stream/twilio-events');
}

function printRole(arn: string, externalId: string, json: boolean | undefined): void {
  const { trust, permissions } = roleDocument({ arn, externalId });
  if (json) {
    printJson({ externalId, trust, permissions });
    return;
  }
  console.log(
    [
      'Twilio writes to the stream by a role of your AWS account. Create it with this trust policy:',
      JSON.stringify(trust, undefined, 2),
      'and these permissions:',
      JSON.stringify(permissions, undefined, 2),
      'then run:',
      `flex-custody recorder setup --sink kinesis --stream-arn ${arn} --role-arn arn:aws:iam::…:role/… --external-id ${externalId}`,
    ].join('\n'),
  );
}

/** What each step found or did. */
export function setupText({
  notes = {},
  counts,
  options,
}: Pick<RunView, 'notes' | 'counts' | 'options'>): string {
  const { changed = 0, problems = 0 } = counts;
  const end =
    problems > 0
      ? 'Not set up: follow the steps above.'
      : changed === 0
        ? 'Nothing to change.'
        : options['dryRun'] === true
          ? 'Dry run: nothing changed.'
          : 'Done.';
  return [...table(['STEP', 'RESULT'], Object.entries(notes)), '', end].join('\n');
}
