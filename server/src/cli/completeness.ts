import { asReservationSid, type ReservationSid } from '@flex-custody/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { isDay } from '../recorder/completeness/day.ts';
import type { DayLedger, Segment } from '../recorder/completeness/day-ledger.ts';
import { isOneLine, type ReasonCode, reasons } from '../recorder/completeness/reasons.ts';
import { forTerminal } from './for-terminal.ts';
import { withOperatorApi } from './operator-api.ts';
import { type Cell, printJson, table } from './output.ts';
import { whoami } from './policy-apply.ts';
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
      '{account, day, timeZone, from, to, contacts, open, outcomes, erased, explained: [{contact, reservationSid, taskSid, workerSid, startedAt, endedAt, outcome, reason, comment, explainedBy, explainedAt}], unexplained: [{contact, reservationSid, taskSid, workerSid, startedAt, endedAt}]}',
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
    .command('explain')
    .description("say why an agent's segment has no recording; replaces the reason that it has")
    .argument('<reservation>', 'its SID, as `completeness --day` lists it', reservationOf)
    .addOption(
      new Option('--reason <code>', 'one of the codes below')
        .choices(Object.keys(reasons))
        .makeOptionMandatory(),
    )
    .option('--comment <text>', 'for other operators; it is not in the statement of the day', commentOf)
    .option('--json', '{reservationSid, reason, comment, explainedBy, explainedAt}')
    .addHelpText('after', `\nReasons:\n${reasonsText()}`)
    .action(
      (reservationSid: ReservationSid, flags: { reason: ReasonCode; comment?: string }, command: Command) =>
        withOperatorApi(async (api) => {
          const { reason, comment } = flags;
          const given = { reservationSid, reason, ...(comment !== undefined && { comment }) };
          const kept = await api.explainSegment({ ...given, explainedBy: whoami() });
          if (isJson(command)) printJson(kept);
          else console.log(`${reservationSid} is explained: ${reason}.`);
        }),
    );
  completeness
    .command('withdraw')
    .description(
      'withdraw the reason of a segment, which is then unexplained unless something else explains it',
    )
    .argument('<reservation>', 'its SID', reservationOf)
    .option('--json', '{reservationSid, withdrawn}')
    .action((reservationSid: ReservationSid, _flags: object, command: Command) =>
      withOperatorApi(async (api) => {
        const { withdrawn } = await api.withdrawReason({ reservationSid, by: whoami() });
        if (isJson(command)) printJson({ reservationSid, withdrawn });
        else console.log(`The reason of ${reservationSid} is withdrawn.`);
      }),
    );
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

/** The command above has the same option, and takes it. */
const isJson = (command: Command): boolean => command.optsWithGlobals()['json'] === true;

interface Flags {
  day?: string;
  json?: boolean;
}

function dayOf(text: string): string {
  if (!isDay(text)) throw new InvalidArgumentError('a day of the calendar, such as 2026-11-28');
  return text;
}

function reservationOf(text: string): ReservationSid {
  const sid = asReservationSid(text);
  if (!sid) throw new InvalidArgumentError('the SID of a reservation: WR and 32 characters of 0-9 a-f');
  return sid;
}

function commentOf(text: string): string {
  if (isOneLine(text)) return text;
  throw new InvalidArgumentError('up to 500 characters on one line');
}

function reasonsText(): string {
  const width = Math.max(...Object.keys(reasons).map((code) => code.length));
  return Object.entries(reasons)
    .map(([code, meaning]) => `  ${code.padEnd(width)}  ${meaning}`)
    .join('\n');
}

export function ledgerText({ day, timeZone, from, to, ...ledger }: DayLedger): string {
  const { contacts, erased, explained, open, outcomes, unexplained } = ledger;
  const counts = Object.entries(outcomes).map(([name, count]) => [name, count]);
  const reasonsGiven = explained.map((one) => [
    one.reservationSid,
    // What made the reason moot.
    one.outcome === 'explained' ? one.reason : `${one.reason} (moot: ${one.outcome})`,
    forTerminal(one.explainedBy),
    one.explainedAt,
    one.comment && forTerminal(one.comment),
  ]);
  return [
    `${day} in ${forTerminal(timeZone)}: ${from} to ${to}`,
    `${contacts} contacts, ${open} of them open; ${erased} of the recorded segments are erased`,
    '',
    ...table(['OUTCOME', 'SEGMENTS'], counts),
    ...list(['EXPLAINED', 'REASON', 'BY', 'AT', 'COMMENT'], reasonsGiven),
    ...list(['UNEXPLAINED', 'TASK', 'WORKER', 'STARTED', 'SECONDS'], unexplained.map(cellsOf)),
  ].join('\n');
}

const list = (headers: readonly string[], rows: readonly (readonly Cell[])[]): string[] =>
  rows.length > 0 ? ['', ...table(headers, rows)] : [];

const cellsOf = ({ reservationSid, taskSid, workerSid, startedAt, endedAt }: Segment): Cell[] => [
  ...[reservationSid, taskSid, workerSid, startedAt],
  Math.round((endedAt.getTime() - startedAt.getTime()) / 1_000),
];
