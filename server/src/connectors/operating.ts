import { CustodyError, type TaskSid } from '@flex-custody/core';
import { type Audit, operator } from '../access/audit.ts';
import type { Db } from '../db/db.ts';
import { type AgentDay, agentDays } from './agent-days.ts';
import { type ExplainDeps, type Explanation, explainTask } from './explain.ts';
import { type FailedEffect, failedEffects } from './failed.ts';
import { retryFailed } from './outbox-counts.ts';
import { type ConnectorStatus, connectorStatus } from './status.ts';

/** Days of UTC, such as 2026-11-28, the last one included. */
export interface Period {
  from: string;
  to: string;
}

/** What operators do with the connector. */
export interface ConnectorApi {
  connectorStatus(): Promise<ConnectorStatus>;
  /** Dead letters, by their ids. */
  failedEffects(page: { limit: number; after?: number }): Promise<FailedEffect[]>;
  /** Dead letters wait again. @returns how many */
  retryEffects(which: 'all' | readonly number[]): Promise<{ retried: number }>;
  agentDays(of: Period): Promise<AgentDay[]>;
  /**
   * What is sent of a task, and why. With `values` it has the customer's values, and an audit entry.
   * @throws CustodyError `connector_off` (409), `audit_unavailable` (503)
   */
  explainTask(of: { task: TaskSid; values: boolean }): Promise<Explanation>;
}

export interface ConnectorApiDeps {
  db: Db;
  audit: Audit;
  connector: string;
  /** Undefined where the connector is off. @throws CustodyError where its file is at fault */
  preview(values: boolean): ExplainDeps['preview'] | undefined;
}

export function createConnectorApi(deps: ConnectorApiDeps): ConnectorApi {
  const { db, audit, connector } = deps;
  return {
    connectorStatus: () => connectorStatus(db, connector),
    failedEffects: (page) => failedEffects(db, connector, page),
    retryEffects: async (which) => ({ retried: await retryFailed(db, connector, which) }),
    agentDays: (of) => agentDays(db, of),
    async explainTask({ task, values }) {
      const preview = deps.preview(values);
      if (!preview) throw connectorOff();
      if (values)
        await audit.record({
          ...{ viewer: operator, action: 'connector.values', subject: { kind: 'task', sid: task } },
          ...{ allowed: true, reason: 'explain' },
        });
      return explainTask({ db, connector, preview }, task);
    },
  };
}

export const connectorOff = (): CustodyError =>
  new CustodyError('connector_off', 'CUSTODY_BREVO_FILE is not set, or its file says enabled: false');
