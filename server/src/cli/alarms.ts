import { type Command, InvalidArgumentError } from 'commander';
import type { Alarm } from '../catalog/alarms.ts';
import { atDesk } from './at-desk.ts';

export function line({ id, lastAt, code, times, recordingSid, detail }: Alarm): string {
  const fields = [String(id).padStart(5), lastAt.toISOString(), `${times} ×`.padStart(5), code];
  return [...fields, recordingSid ?? '-', detail].join('  ').trimEnd();
}

export function registerAlarmCommands(program: Command): void {
  const alarms = program
    .command('alarms')
    .description(
      'what somebody should look at, newest first: id, last time, how often, code, recording, detail',
    )
    .action(() =>
      atDesk(async (desk) => {
        const standing = await desk.alarms();
        console.log(standing.length > 0 ? standing.map(line).join('\n') : 'No alarm stands.');
      }),
    );
  alarms
    .command('clear')
    .description('take down one that has been dealt with')
    .argument('<id>', 'as listed', alarmId)
    .action((id: number) =>
      atDesk(async (desk) => {
        await desk.clearAlarm(id);
        console.log(`Alarm ${id} is cleared.`);
      }),
    );
}

function alarmId(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new InvalidArgumentError('the id is a number, as `alarms` lists it');
  return Number(text);
}
