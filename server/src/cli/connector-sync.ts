import { type Command, InvalidArgumentError, Option } from 'commander';
import { channels } from '../connectors/interaction.ts';
import type { Json } from '../runs/runs.ts';
import { connectorArgument } from './connector-name.ts';
import { since } from './recorder-periods.ts';
import { anewOption, jsonOption, printRun, runWork } from './run-work.ts';

interface Flags {
  type: 'incremental' | 'full';
  resources: readonly string[];
  since?: string;
  channels?: readonly string[];
  dryRun?: boolean;
  anew?: boolean;
  json?: boolean;
}

export const resources = ['conversations', 'tasks'] as const;

export function registerConnectorSync(connector: Command): void {
  connector
    .command('sync')
    .description(
      'take in what was missed or is older than the connector: TaskRouter keeps 30 days, Conversations more; Ctrl-C stops it, the same command continues it',
    )
    .addArgument(connectorArgument())
    .addOption(
      new Option('--type <type>', 'incremental: from the last sync on; full: from --since on')
        .choices(['incremental', 'full'])
        .default('incremental'),
    )
    .option('--resources <list>', 'of conversations, tasks', listOf(resources), resources)
    .option('--since <time>', 'from then on: 2h, 3d, a day, or a moment; needed by a full sync', since)
    .option('--channels <list>', `of ${channels.join(', ')}; by default those of the file`, listOf(channels))
    .option('--dry-run', 'count what is missing; change nothing')
    .option(...anewOption)
    .option(...jsonOption)
    .action(async (name: string, { anew, json, ...flags }: Flags, command: Command) => {
      if (flags.type === 'full' && flags.since === undefined)
        command.error('error: a full sync needs --since');
      printRun(await runWork('connector-sync', optionsOf(name, flags), undefined, { anew }), json);
    });
}

const optionsOf = (
  name: string,
  { type, resources: of, since: from, channels: only, dryRun }: Flags,
): Json => ({
  connector: name,
  type,
  resources: of,
  ...(from !== undefined && { since: from }),
  ...(only && { channels: only }),
  ...(dryRun && { dryRun }),
});

/** A list with commas, of these words alone, each once and in their order: the same list continues the same run. */
const listOf =
  (words: readonly string[]) =>
  (text: string): readonly string[] => {
    const given = text.split(',').map((word) => word.trim());
    if (given.some((word) => !words.includes(word)))
      throw new InvalidArgumentError(`a list of ${words.join(', ')}, with commas`);
    return words.filter((word) => given.includes(word));
  };
