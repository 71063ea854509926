import type { Command } from 'commander';
import { mostCounted } from '../connectors/outbox-counts.ts';
import type { ConnectorStatus, RateOfClass } from '../connectors/status.ts';
import { connectorArgument } from './connector-name.ts';
import { withOperatorApi } from './operator-api.ts';
import { type Cell, printJson, table } from './output.ts';

export function registerConnectorStatus(connector: Command): void {
  connector
    .command('status')
    .description('show whether the connector sends, what waits, and what could not be sent')
    .addArgument(connectorArgument())
    .option(
      '--json',
      '{connector, connected, paused?, lastSync, conversationsTracked, customersLinked, agentsMonitored, estimated?, pending, failed, uncertain, behindSeconds?, rate: {eventsLastMinute, classes: [{name, limit?, remaining?, resetsAt?, pausedUntil?}]}, imports: [{resource, lastAt}], notes: [{name, lastAt}]}',
    )
    .action((_name: string, { json }: { json?: boolean }) =>
      withOperatorApi(async (api) => {
        const status = await api.connectorStatus();
        if (json) printJson(status);
        else console.log(connectorStatusText(status));
      }),
    );
}

/** A table of figures, then what must be done next. */
export function connectorStatusText(status: ConnectorStatus): string {
  const about = (n: number): Cell => (status.estimated ? `about ${n}` : n);
  const rows: [string, Cell][] = [
    ['connected', status.connected ? 'yes' : 'no'],
    ['last event sent', status.lastSync ?? undefined],
    ['conversations tracked', about(status.conversationsTracked)],
    ['customers linked', about(status.customersLinked)],
    ['agents monitored', status.agentsMonitored],
    ['pending', counted(status.pending)],
    ['failed', counted(status.failed)],
    ['uncertain', status.uncertain],
    ['behind by', status.behindSeconds === undefined ? undefined : `${status.behindSeconds} s`],
    ['events in the last minute', status.rate.eventsLastMinute],
    ...status.rate.classes.map((one): [string, Cell] => [`limit of ${one.name}`, limitText(one)]),
    ...status.imports.map(({ resource, lastAt }): [string, Cell] => [`history of ${resource}`, lastAt]),
    ...status.notes.map(({ name, lastAt }): [string, Cell] => [`last ${name}`, lastAt]),
  ];
  const lines = table(
    ['WHAT', 'VALUE'],
    rows.map(([what, value]) => [
      what,
      value instanceof Date ? value : value === undefined ? undefined : `${value}`,
    ]),
  );
  return [...lines, ...nextSteps(status).flatMap((step) => ['', step])].join('\n');
}

/** Counting ends there. */
const counted = (n: number): Cell => (n >= mostCounted ? `${n} or more` : n);

function limitText({ limit, remaining, pausedUntil }: RateOfClass): string {
  const left = limit === undefined ? 'as the plan says' : `${remaining ?? '?'} of ${limit} left`;
  return pausedUntil ? `${left}, paused until ${pausedUntil.toISOString()}` : left;
}

function nextSteps({ connector, connected, paused, failed }: ConnectorStatus): string[] {
  const steps: string[] = [];
  if (paused)
    steps.push(
      `Nothing is sent since ${paused.sinceAt.toISOString()} (${paused.reason}): flex-custody connector test ${connector}`,
    );
  else if (!connected) steps.push(`It is switched off: flex-custody connector install ${connector}`);
  if (failed > 0) steps.push('What could not be sent: flex-custody connector failed');
  return steps;
}
