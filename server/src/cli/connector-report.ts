import { type Command, InvalidArgumentError } from 'commander';
import type { AgentDay } from '../connectors/agent-days.ts';
import { isDay } from '../recorder/completeness/day.ts';
import { forTerminal } from './for-terminal.ts';
import { withOperatorApi } from './operator-api.ts';
import { printJson, table } from './output.ts';

interface Flags {
  from?: string;
  to?: string;
  json?: boolean;
}

const dayMs = 24 * 3_600_000;
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

export function registerConnectorReport(connector: Command): void {
  connector
    .command('report')
    .description("agents' activity by day of UTC: contacts handled and transferred, time by activity")
    .option('--from <day>', 'the first day, such as 2026-11-01; by default a week ago', day)
    .option('--to <day>', 'the last day; by default today', day)
    .option('--json', '[{day, worker, handled, transferred, wrapUpSeconds, activities: {name: seconds}}]')
    .action(({ from, to, json }: Flags, command: Command) => {
      const last = to ?? dayOf(Date.now());
      const first = from ?? dayOf(Date.parse(last) - 6 * dayMs);
      if (first > last) command.error('error: --from must not be later than --to');
      return withOperatorApi(async (api) => {
        const rows = await api.agentDays({ from: first, to: last });
        if (json) printJson(rows);
        else console.log(reportText(rows));
      });
    });
}

function day(text: string): string {
  if (isDay(text)) return text;
  throw new InvalidArgumentError('a day of the calendar, such as 2026-11-28');
}

/** A column for each activity that anyone had; times as hours:minutes:seconds. */
export function reportText(rows: readonly AgentDay[]): string {
  if (rows.length === 0) return 'No agent was seen on these days.';
  const activities = [...new Set(rows.flatMap((row) => Object.keys(row.activities)))].sort();
  const headers = ['DAY', 'AGENT', 'HANDLED', 'TRANSFERRED', 'WRAP-UP', ...activities.map(headerOf)];
  const cells = rows.map((row) => [
    ...[row.day, row.worker, row.handled, row.transferred, clock(row.wrapUpSeconds)],
    ...activities.map((name) => clock(row.activities[name])),
  ]);
  return table(headers, cells).join('\n');
}

const headerOf = (name: string): string => forTerminal(name).toUpperCase();

function clock(seconds: number | undefined): string | undefined {
  if (seconds === undefined) return undefined;
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${Math.floor(whole / 3_600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}
