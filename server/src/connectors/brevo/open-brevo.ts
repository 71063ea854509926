import type { Db } from '../../db/db.ts';
import type { Metrics } from '../../metrics.ts';
import { createBudgets } from '../budgets.ts';
import type { Brevo } from './brevo-api.ts';
import { createBrevo } from './client.ts';
import type { BrevoConfig } from './config/brevo-config.ts';
import { brevoLimits } from './limits.ts';

export interface OpenBrevoOptions {
  db: Db;
  file: Pick<BrevoConfig, 'plan' | 'plan_factor' | 'log_api_calls'>;
  apiKey: () => string | undefined;
  log: Record<'info' | 'warn', (fields: object, message: string) => void>;
  metrics?: Pick<Metrics, 'connectorAsked'>;
}

/** Brevo's client, with the one budget of all processes on this database. */
export function openBrevo({ apiKey, db, file, log, metrics }: OpenBrevoOptions): Brevo {
  const budgets = createBudgets(db, brevoLimits(file.plan, file.plan_factor));
  return createBrevo({
    ...{ apiKey, budgets, log },
    called(call) {
      metrics?.connectorAsked(call.of, call.outcome);
      if (file.log_api_calls) log.info({ event: 'brevo.asked', ...call }, 'a request to Brevo');
    },
  });
}
