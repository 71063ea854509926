import type { Db } from '../../db/db.ts';
import type { Metrics } from '../../metrics.ts';
import { createBudgets } from '../budgets.ts';
import type { Brevo } from './brevo-api.ts';
import { createBrevo } from './client.ts';
import type { ConnectorLog } from './connector-log.ts';
import type { brevoLimits } from './limits.ts';

export interface OpenBrevoOptions {
  db: Db;
  limits: ReturnType<typeof brevoLimits>;
  apiKey: () => string | undefined;
  log: Pick<ConnectorLog, 'warn' | 'asked'>;
  metrics?: Pick<Metrics, 'connectorAsked'>;
}

/** Brevo's client, with the one budget of all processes on this database. */
export function openBrevo({ apiKey, db, limits, log, metrics }: OpenBrevoOptions): Brevo {
  const budgets = createBudgets(db, limits);
  return createBrevo({
    ...{ apiKey, budgets, log },
    called(call) {
      metrics?.connectorAsked('brevo', call.of, call.outcome);
      log.asked(call);
    },
  });
}
