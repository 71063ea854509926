import { type Command, InvalidArgumentError } from 'commander';
import { meaningOf } from '../alarms/alarm-table.ts';
import type { Alarm } from '../alarms/alarms.ts';
import type { OperatorApi } from '../http/operators/operator-api.ts';
import { withOperatorApi } from './operator-api.ts';
import { printJson, table } from './output.ts';
import { pageSize, printPage } from './pages.ts';

const headers = ['ID', 'LAST RAISED', 'TIMES', 'CODE', 'RECORDING', 'DETAIL'];

/**
 * Each alarm, and below it what to do about it.
 * @param after the alarm after which the page begins
 */
export function alarmsText(open: readonly Alarm[], after?: number): string {
  if (open.length === 0) return after === undefined ? 'No open alarms.' : `No open alarms after ${after}.`;
  const [head, ...lines] = table(
    headers,
    open.map(({ id, lastAt, times, code, recordingSid, detail }) => [
      id,
      lastAt,
      times,
      code,
      recordingSid,
      detail,
    ]),
  );
  const nexts = open.map(({ code }) => meaningOf(code)?.next);
  return [
    head,
    ...lines.map((line, at) => (nexts[at] === undefined ? line : `${line}\n  → ${nexts[at]}`)),
  ].join('\n');
}

export interface ListFlags {
  limit: number;
  after?: number;
  json?: boolean;
}

/**
 * Prints one page of open alarms.
 * @returns the exit status: 1 while an alarm is open, on this page or another; otherwise 0
 */
export async function listAlarms(
  api: Pick<OperatorApi, 'alarms' | 'alarmsBehind'>,
  { limit, after, json = false }: ListFlags,
): Promise<0 | 1> {
  const open = await api.alarms({ limit, ...(after !== undefined && { after }) });
  await printPage({
    // Each with the fields of docs/alarms.md for its code.
    rows: open.map((alarm) => ({ ...alarm, ...meaningOf(alarm.code) })),
    limit,
    idOf: ({ id }) => String(id),
    behind: ({ id }) => api.alarmsBehind(id),
    json,
    text: () => alarmsText(open, after),
  });
  if (open.length > 0) return 1;
  const isBehindOthers = after !== undefined && (await api.alarms({ limit: 1 })).length > 0;
  return isBehindOthers ? 1 : 0;
}

export function registerAlarmCommands(program: Command): void {
  const alarms = program
    .command('alarms')
    .description('list open alarms, newest first, each with its next step (docs/alarms.md)')
    .option('--limit <n>', 'how many, at most 1000', pageSize, 50)
    .option('--after <id>', 'those after this one', alarmId)
    .option('--json', 'as an array')
    .addHelpText(
      'after',
      '\nEnds with 1 while an alarm is open, on this page or another, and with 0 when none is.',
    )
    .action((flags: ListFlags) =>
      withOperatorApi(async (api) => {
        if ((await listAlarms(api, flags)) !== 0) process.exitCode = 1;
      }),
    );
  alarms
    .command('clear')
    .description('close an alarm that you have dealt with')
    .argument('<id>', 'as listed', alarmId)
    .option('--json', '{closed}')
    .action((id: number, { json }: { json?: boolean }) =>
      withOperatorApi(async (api) => {
        await api.clearAlarm(id);
        if (json) printJson({ closed: id });
        else console.log(`Alarm ${id} is closed.`);
      }),
    );
}

function alarmId(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new InvalidArgumentError('the id is a number, as `alarms` lists it');
  return Number(text);
}
