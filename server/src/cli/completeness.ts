import { type Command, InvalidArgumentError } from 'commander';
import { isDay } from '../recorder/completeness/day.ts';
import type { DayLedger } from '../recorder/completeness/day-ledger.ts';
import { forTerminal } from './for-terminal.ts';
import { withOperatorApi } from './operator-api.ts';
import { printJson, table } from './output.ts';
import { statementText, verifyStatementFile } from './verify-statement.ts';

export function registerCompleteness(program: Command): void {
  const completeness = program
    .command('completeness')
    .description(
      "count agents' segments of a day by what became of them, and list those without a recording or a reason; exit code 1 if there are any (docs/recorder.md)",
    )
    .option('--day <day>', "such as 2026-11-28, in the data source's time zone", dayOf)
    .option(
      '--json',
      '{account, day, timeZone, from, to, contacts, open, outcomes, erased, unexplained: [{contact, reservationSid, taskSid, workerSid, startedAt, endedAt}]}',
    )
    .action(({ day, json }: Flags, command: Command) => {
      // Not a required option: `verify` takes the day from its file.
      if (day === undefined)
        command.error("error: required option '--day <day>' not specified", { exitCode: 2 });
      return withOperatorApi(async (api) => {
        const ledger = await api.completeness(day);
        if (json) printJson(ledger);
        else console.log(ledgerText(ledger));
        if (ledger.unexplained.length > 0) process.exitCode = 1;
      });
    });
  completeness
    .command('verify')
    .description(
      'verify a statement of a day from the bucket: signature, account, day, and that the ledger computed now says the same; exit code 1 with the differences',
    )
    .argument('<file>', 'file with the statement; - is standard input')
    .option('--day <day>', 'the day that it should be of; by default the one that it names', dayOf)
    .option('--json', '{statement, keyId, differences: [{what, stated, now}]}')
    .action((file: string, _own: object, command: Command) =>
      withOperatorApi(async (api) => {
        // The command above takes the options that it has too.
        const { day, json } = command.optsWithGlobals<Flags>();
        const found = await verifyStatementFile(file, day, (one) => api.completeness(one));
        if (json) printJson(found);
        else console.log(statementText(found.statement, found.keyId, found.differences));
        if (found.differences.length > 0) process.exitCode = 1;
      }),
    );
}

interface Flags {
  day?: string;
  json?: boolean;
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
