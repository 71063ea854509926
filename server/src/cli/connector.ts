import type { Command } from 'commander';
import { registerConnectorExplain } from './connector-explain.ts';
import { registerConnectorFailed } from './connector-failed.ts';
import { registerConnectorInstall } from './connector-install.ts';
import { registerConnectorReport } from './connector-report.ts';
import { registerConnectorStatus } from './connector-status.ts';
import { registerConnectorSync } from './connector-sync.ts';
import { registerConnectorTest } from './connector-test.ts';

export function registerConnector(program: Command): void {
  const connector = program
    .command('connector')
    .description('have every interaction of Flex in a CRM (docs/brevo.md)');
  registerConnectorInstall(connector);
  registerConnectorTest(connector);
  registerConnectorSync(connector);
  registerConnectorStatus(connector);
  registerConnectorExplain(connector);
  registerConnectorReport(connector);
  registerConnectorFailed(connector);
}
