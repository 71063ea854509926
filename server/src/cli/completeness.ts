import { type Command, InvalidArgumentError } from 'commander';
import { isDay } from '../recorder/completeness/day.ts';
import type { DayLedger } from '../recorder/completeness/day-ledger.ts';
import { forTerminal } from './for-terminal.ts';
import { withOperatorApi } from './operator-api.ts';
import { printJson, table } from './output.ts';

export function registerCompleteness(program: Command): void {
  program
    .command('completeness')
    .description(
      "count agents' segments of a day by what became of them, and list those without a recording or a reason; exit code 1 if there are any (docs/recorder.md)",
    )
    .requiredOption('--day <day>', "such as 2026-11-28, in the data source's time zone", dayOf)
    .option(
      '--json',
      '{account, day, timeZone, from, to, contacts, open, outcomes, erased, unexplained: [{contact, reservationSid, taskSid, workerSid, startedAt, endedAt}]}',
    )
    .action(({ day, json }: { day: string; json?: boolean }) =>
      withOperatorApi(async (api) => {
        const ledger = await api.completeness(day);
        if (json) printJson(ledger);
        else console.log(ledgerText(ledger));
        if (ledger.unexplained.length > 0) process.exitCode = 1;
      }),
    );
}

function dayOf(text: string): string {
  if (!isDay(text)) throw new InvalidArgumentError('a day of the calendar, such as 2026-11-28');
  return text;
}

export function ledgerText({ day, timeZone, from, to, ...ledger }: DayLedger): string {
  const { contacts, erased, open, outcomes, unexplained } = ledger;
  const counts = Object.entries(outcomes).map(([name, count]) => [name, count]);
  const list = unexplained.map((one) => [
    one.reservationSid,
    one.taskSid,
    one.workerSid,
    one.startedAt.toISOString(),
    Math.round((one.endedAt.getTime() - one.startedAt.getTime()) / 1_000),
  ]);
  return [
    `${day} in ${forTerminal(timeZone)}: ${from} to ${to}`,
    `${contacts} contacts, ${open} of them open; ${erased} of the recorded segments are erased`,
    '',
    ...table(['OUTCOME', 'SEGMENTS'], counts),
    ...(list.length > 0 ? ['', ...table(['UNEXPLAINED', 'TASK', 'WORKER', 'STARTED', 'SECONDS'], list)] : []),
  ].join('\n');
}
