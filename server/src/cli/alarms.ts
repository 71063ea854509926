import { type Command, InvalidArgumentError } from 'commander';
import { meaningOf } from '../alarms/alarm-table.ts';
import type { Alarm } from '../alarms/alarms.ts';
import { atDesk } from './at-desk.ts';
import { noteMore, pageSize } from './pages.ts';

const header = '   ID  LAST RAISED               TIMES  CODE  RECORDING  DETAIL';

/** One alarm, and below it what to do about it. */
export function line({ id, lastAt, code, times, recordingSid, detail }: Alarm): string {
  const fields = [String(id).padStart(5), lastAt.toISOString(), `${times} ×`.padStart(5), code];
  const next = meaningOf(code)?.next;
  return [
    [...fields, recordingSid ?? '-', detail].join('  ').trimEnd(),
    ...(next === undefined ? [] : [`       → ${next}`]),
  ].join('\n');
}

export const alarmsText = (open: readonly Alarm[]): string =>
  open.length > 0 ? [header, ...open.map(line)].join('\n') : 'No open alarms.';

/** For programs: each with what docs/alarms.md says of its code. */
export const alarmsJson = (open: readonly Alarm[]): string =>
  JSON.stringify(
    open.map((alarm) => ({ ...alarm, ...meaningOf(alarm.code) })),
    undefined,
    2,
  );

export function registerAlarmCommands(program: Command): void {
  const alarms = program
    .command('alarms')
    .description('list open alarms, newest first, each with its next step (docs/alarms.md)')
    .option('--limit <n>', 'how many, at most 1000', pageSize, 50)
    .option('--after <id>', 'those behind this one', alarmId)
    .option('--json', 'as a list')
    .action(({ limit, after, json }: { limit: number; after?: number; json?: boolean }) =>
      atDesk(async (desk) => {
        const open = await desk.alarms({ limit, ...(after !== undefined && { after }) });
        console.log(json ? alarmsJson(open) : alarmsText(open));
        await noteMore(
          open,
          limit,
          ({ id }) => String(id),
          ({ id }) => desk.alarmsBehind(id),
        );
      }),
    );
  alarms
    .command('clear')
    .description('close an alarm that you have dealt with')
    .argument('<id>', 'as listed', alarmId)
    .action((id: number) =>
      atDesk(async (desk) => {
        await desk.clearAlarm(id);
        console.log(`Alarm ${id} is closed.`);
      }),
    );
}

function alarmId(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new InvalidArgumentError('the id is a number, as `alarms` lists it');
  return Number(text);
}
