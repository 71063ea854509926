import type { Command } from 'commander';
import type { StatusTable } from '../events/status-part.ts';
import { withOperatorApi } from './operator-api.ts';
import { printJson, table } from './output.ts';

/** Each table below its title. */
export const eventsText = (tables: readonly StatusTable[]): string =>
  tables
    .map(({ title, columns, rows }) => {
      const cells = rows.map((row) => Object.keys(columns).map((field) => row[field] ?? undefined));
      return [title, ...(rows.length > 0 ? table(Object.values(columns), cells) : ['None.'])].join('\n');
    })
    .join('\n\n');

/** The rows of each table by its name. */
export const eventsJson = (tables: readonly StatusTable[]): object =>
  Object.fromEntries(tables.map(({ name, rows }) => [name, rows]));

export function registerRecorderEvents(recorder: Command): void {
  recorder
    .command('events')
    .description("show what of agents' events has arrived, and why some are set aside (docs/recorder.md)")
    .option('--set-aside', 'only what is set aside, by reason')
    .option('--json', '{events, eventRates, eventTypes, eventsSetAside}, each an array')
    .action(({ setAside, json }: { setAside?: boolean; json?: boolean }) =>
      withOperatorApi(async (api) => {
        const all = await api.events();
        const tables = setAside ? all.filter(({ name }) => name === 'eventsSetAside') : all;
        if (json) printJson(eventsJson(tables));
        else console.log(eventsText(tables));
      }),
    );
}
