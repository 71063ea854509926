import type { TwilioLimits } from '@flex-custody/twilio';
import type { Config } from '../config.ts';
import { openBrevoConfig } from '../connectors/brevo/config/open.ts';
import { withinFile } from '../connectors/brevo/history-options.ts';
import { ratesOf } from '../connectors/history/rates.ts';
import { type HistoryDeps, syncHistory } from '../connectors/history/sync.ts';
import { connectorOff } from '../connectors/operating.ts';
import { type CheckedWork, checkedWork } from '../runs/options.ts';

export interface ConnectorSyncDeps extends HistoryDeps {
  config: Config;
  twilio: HistoryDeps['twilio'] & { limits: Pick<TwilioLimits, 'set'> };
}

/** `connector sync`: of the past, what the connector's file sends. */
export const connectorSyncWorks = (deps: ConnectorSyncDeps): Readonly<Record<string, CheckedWork>> => ({
  'connector-sync': checkedWork('connector-sync', async (run) => {
    const file = openBrevoConfig(deps.config, { needsKey: false });
    if (!file?.enabled) throw connectorOff();
    // In a process of the command line no room has set them.
    deps.twilio.limits.set(ratesOf(file.limits));
    await syncHistory(deps, { ...run, options: withinFile(run.options, file) });
  }),
});
