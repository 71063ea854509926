import { asTaskSid, type TaskSid } from '@flex-custody/core';
import { type Command, InvalidArgumentError } from 'commander';
import type { ExplainedEvent, Explanation } from '../connectors/explain.ts';
import { forTerminal } from './for-terminal.ts';
import { withOperatorApi } from './operator-api.ts';
import { type Cell, printJson, table } from './output.ts';

interface Flags {
  values?: boolean;
  json?: boolean;
}

export function registerConnectorExplain(connector: Command): void {
  connector
    .command('explain')
    .description('show what is sent of a task, from which source, and why; and what was sent, with its state')
    .argument('<task>', 'its SID', taskOf)
    .option('--values', "show the customer's values too; writes an entry of the audit log")
    .option(
      '--json',
      '{task, why?, custodyId?, interaction?, contact?: {state?, isSent, identifiers, attributes, lists, code?, message?}, rules: [{rule, target, source, why}], events: [{trigger, name?, state, happenedAt?, dueAt?, sentAt?, attempts, code?, message?, properties?}]}',
    )
    .addHelpText('after', '\nExit code 1: nothing is sent of it; the answer says why.')
    .action((task: TaskSid, { values, json }: Flags) =>
      withOperatorApi(async (api) => {
        const found = await api.explainTask({ task, values: values === true });
        if (json) printJson(found);
        else console.log(explanationText(found));
        if (found.why !== undefined) process.exitCode = 1;
      }),
    );
}

function taskOf(text: string): TaskSid {
  const sid = asTaskSid(text);
  if (!sid) throw new InvalidArgumentError('the SID of a task: WT and 32 characters of 0-9 a-f');
  return sid;
}

export function explanationText({ task, why, interaction, contact, rules, events }: Explanation): string {
  return [
    ...(why === undefined ? [] : [`Nothing of ${task} is sent: ${forTerminal(why)}.`]),
    ...part('Interaction', ['FIELD', 'VALUE'], interaction && pairs(interaction)),
    ...part('Contact', ['FIELD', 'VALUE'], contact && contactRows(contact)),
    ...part('Rules', ['RULE', 'TARGET', 'SOURCE', 'WHY'], rules.map(ruleCells)),
    ...part(
      'Events',
      ['TRIGGER', 'EVENT', 'STATE', 'HAPPENED', 'DUE', 'SENT', 'TRIES', 'CODE'],
      events.map(eventCells),
    ),
    ...events.flatMap(({ name, properties }) =>
      name === undefined || properties === undefined
        ? []
        : part(`Properties of ${name}`, ['PROPERTY', 'VALUE'], pairs(properties)),
    ),
  ]
    .join('\n')
    .trim();
}

/** A table below its title; nothing where there are no rows. */
const part = (
  title: string,
  headers: readonly string[],
  rows: readonly (readonly Cell[])[] | undefined,
): string[] =>
  rows === undefined || rows.length === 0
    ? []
    : ['', title, ...table(headers, rows).map((line) => `  ${line}`)];

const cell = (value: unknown): Cell =>
  value === undefined || value === null
    ? undefined
    : forTerminal(typeof value === 'string' ? value : JSON.stringify(value));

const isTime = (name: string, value: unknown): value is number =>
  name.endsWith('At') && typeof value === 'number';

const pairs = (of: Readonly<Record<string, unknown>>): Cell[][] =>
  Object.entries(of).map(([name, value]) => [name, isTime(name, value) ? new Date(value) : cell(value)]);

function contactRows({
  state,
  isSent,
  identifiers,
  attributes,
  lists,
  code,
}: NonNullable<Explanation['contact']>) {
  return [
    ['state', isSent ? 'sent' : (state ?? 'not planned')],
    ...(code === undefined ? [] : [['code', forTerminal(code)]]),
    ...pairs(identifiers),
    ...pairs(attributes),
    ...(lists.length > 0 ? [['lists', lists.join(', ')]] : []),
  ];
}

const ruleCells = ({ rule, target, source, why }: Explanation['rules'][number]): Cell[] =>
  [rule, target, source, why].map(cell);

const eventCells = ({ trigger, name, state, attempts, code, ...at }: ExplainedEvent): Cell[] => [
  ...[trigger, name, state, at.happenedAt, at.dueAt, at.sentAt, attempts],
  cell(code),
];
