import type { Command } from 'commander';
import { checkNames, type Verdict, verdictOf } from '../connectors/check.ts';
import type { Json, RunView } from '../runs/runs.ts';
import { connectorArgument } from './connector-name.ts';
import { printJson } from './output.ts';
import { since } from './recorder-periods.ts';
import { runWork } from './run-work.ts';

interface Flags {
  since?: string;
  createAttributes?: boolean;
  sendEvent?: boolean;
  json?: boolean;
}

export function registerConnectorTest(connector: Command): void {
  connector
    .command('test')
    .description(
      'check all that the connector needs, one line for each check, with the next step for each fault',
    )
    .addArgument(connectorArgument())
    .option('--since <time>', 'whether what is kept begins before then: 2h, 3d, a day, or a moment', since)
    .option('--create-attributes', 'create the attributes that the mapping writes and Brevo lacks')
    .option('--send-event', 'send one marked event, FLEX_CUSTODY_TEST, to a contact of its own')
    .option('--json', '{checks: [{name, level, detail, next}]}')
    .addHelpText('after', '\nExit code 1: something must be fixed.')
    .action(async (_name: string, { since: from, createAttributes, sendEvent, json }: Flags) => {
      const options: Json = {
        ...(from !== undefined && { since: from }),
        ...(createAttributes && { createAttributes }),
        ...(sendEvent && { sendEvent }),
      };
      const checks = checksOf(await runWork('connector-test', options, undefined, { anew: true }));
      if (json) printJson({ checks });
      else console.log(checksText(checks));
      if (checks.some(({ level }) => level === 'fix')) process.exitCode = 1;
    });
}

type NamedVerdict = { name: string } & Verdict;

export const checksOf = ({ notes = {} }: Pick<RunView, 'notes'>): NamedVerdict[] =>
  checkNames.flatMap((name) => {
    const line = notes[name];
    return line === undefined ? [] : [{ name, ...verdictOf(line) }];
  });

/** As the doctor prints its checks. */
export function checksText(checks: readonly NamedVerdict[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, level, detail, next }) => [
    `${(level === 'fix' ? 'FIX' : level).padEnd(4)}  ${name.padEnd(width)}  ${detail}`,
    ...(next === '' ? [] : [`${' '.repeat(width + 8)}→ ${next}`]),
  ]);
  const faults = checks.filter(({ level }) => level === 'fix').length;
  const end = faults === 0 ? 'Nothing must be fixed.' : `${faults} must be fixed.`;
  return [...lines, '', end].join('\n');
}
