import type { Command } from 'commander';
import type { StatusTable } from '../events/status-part.ts';
import { withOperatorApi } from './operator-api.ts';
import { printJson, table } from './output.ts';

/** Each table below its title. */
export function statusText(tables: readonly StatusTable[]): string {
  return tables
    .map(({ title, columns, rows }) => {
      const fields = Object.keys(columns);
      const cells = rows.map((row) => fields.map((field) => row[field] ?? undefined));
      const lines = rows.length > 0 ? table(Object.values(columns), cells) : ['None.'];
      return [title, ...lines.map((line) => `  ${line}`)].join('\n');
    })
    .join('\n\n');
}

/** The rows of each table by its name. */
export const statusJson = (tables: readonly StatusTable[]): object =>
  Object.fromEntries(tables.map(({ name, rows }) => [name, rows]));

export function registerRecorderStatus(recorder: Command): void {
  recorder
    .command('status')
    .description(
      'show the labels and nodes of the data source, which process reads which shard of the agents’ events, and how far (docs/recorder.md)',
    )
    .option('--json', 'as one object: the rows of each table by its name')
    .action(({ json }: { json?: boolean }) =>
      withOperatorApi(async (api) => {
        const tables = await api.recorderStatus();
        if (json) printJson(statusJson(tables));
        else console.log(statusText(tables));
      }),
    );
}
