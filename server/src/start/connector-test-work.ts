import type { Config } from '../config.ts';
import { openBrevoConfig } from '../connectors/brevo/config/open.ts';
import { connectorLog } from '../connectors/brevo/connector-log.ts';
import { createMapping } from '../connectors/brevo/create-mapping.ts';
import { openBrevo } from '../connectors/brevo/open-brevo.ts';
import { settingsOf } from '../connectors/brevo/settings.ts';
import { type TestDeps, testConnector } from '../connectors/brevo/test-work.ts';
import { connectorOff } from '../connectors/operating.ts';
import type { Db } from '../db/db.ts';
import type { Log } from '../ingest/index.ts';
import { type CheckedWork, checkedWork } from '../runs/options.ts';

export interface ConnectorTestDeps {
  config: Config;
  db: Db;
  log: Log;
  twilio: TestDeps['twilio'];
}

/** `connector test`, which also says what is missing before the connector is complete. */
export const connectorTestWorks = (deps: ConnectorTestDeps): Readonly<Record<string, CheckedWork>> => ({
  'connector-test': checkedWork('connector-test', async (run) => {
    const { config, db, log, twilio } = deps;
    const settings = openBrevoConfig(config, { needsKey: false });
    if (!settings?.enabled) throw connectorOff();
    const brevo = openBrevo({
      ...{ db, limits: settingsOf(settings).limits, log: connectorLog(log, settings) },
      apiKey: () => config.brevo?.apiKey,
    });
    await testConnector({ config, db, brevo, settings, twilio, mapping: createMapping(settings) })(run);
  }),
});
