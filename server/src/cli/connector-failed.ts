import { type Command, InvalidArgumentError } from 'commander';
import type { FailedEffect } from '../connectors/failed.ts';
import { forTerminal } from './for-terminal.ts';
import { withOperatorApi } from './operator-api.ts';
import { printJson, table } from './output.ts';

interface Flags {
  limit: number;
  after?: number;
  json?: boolean;
}

export function registerConnectorFailed(connector: Command): void {
  connector
    .command('failed')
    .description('list the events that the CRM refused, with its code and words')
    .option('--limit <rows>', 'up to 1000', whole, 100)
    .option('--after <id>', 'those after this one', whole)
    .option('--json', '[{id, trigger, eventName?, custodyId, sids, happenedAt, attempts, code?, message?}]')
    .action(({ limit, after, json }: Flags) =>
      withOperatorApi(async (api) => {
        const all = await api.failedEffects({ limit, ...(after !== undefined && { after }) });
        if (json) printJson(all);
        else console.log(failedText(all));
        const last = all.length === limit ? all.at(-1) : undefined;
        if (last) console.error(`There may be more: --after ${last.id}`);
      }),
    );
  connector
    .command('retry')
    .description('send events again that the CRM refused; correct the cause first')
    .argument('[ids...]', 'as `connector failed` lists them', listed)
    .option('--all', 'all of them')
    .option('--json', '{retried}')
    .action((ids: readonly number[], { all, json }: { all?: boolean; json?: boolean }, command: Command) => {
      if (ids.length > 0 === (all === true)) command.error('error: give ids, or --all');
      return withOperatorApi(async (api) => {
        const { retried } = await api.retryEffects(all ? 'all' : ids);
        if (json) printJson({ retried });
        else console.log(retried === 0 ? 'No failed events.' : `${retried} wait to be sent again.`);
        if (!all && retried < new Set(ids).size) {
          console.error(`Not failed, or not there: ${new Set(ids).size - retried} of these ids.`);
          process.exitCode = 1;
        }
      });
    });
}

function whole(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a whole number above 0');
}

const listed = (text: string, so: readonly number[] | undefined): readonly number[] => [
  ...(so ?? []),
  whole(text),
];

export function failedText(all: readonly FailedEffect[]): string {
  if (all.length === 0) return 'No failed events.';
  const rows = all.map(({ id, trigger, eventName, sids, happenedAt, code, message }) => [
    id,
    eventName ?? trigger,
    sids[0],
    happenedAt,
    code && forTerminal(code),
    message && forTerminal(message),
  ]);
  return [
    ...table(['ID', 'EVENT', 'TASK', 'HAPPENED', 'CODE', 'WORDS'], rows),
    '',
    'Correct the cause, then: flex-custody connector retry --all',
  ].join('\n');
}
