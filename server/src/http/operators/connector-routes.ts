import { asTaskSid, CustodyError } from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import type { ConnectorApi, Period } from '../../connectors/operating.ts';
import { readObject } from './read-object.ts';

const day = { type: 'string', format: 'date' } as const;
const period = {
  querystring: { type: 'object', required: ['from', 'to'], properties: { from: day, to: day } },
} as const;
const id = { type: 'integer', minimum: 1 } as const;
const page = {
  querystring: {
    type: 'object',
    properties: { limit: { type: 'integer', minimum: 1, maximum: 1_000, default: 100 }, after: id },
  },
} as const;

/** Ids of one request. */
export const mostRetried = 10_000;

/** The connector's routes of the operators' listener; the scope checks the right. */
export function connectorRoutes(scope: FastifyInstance, api: ConnectorApi): void {
  scope.get('/connector/status', () => api.connectorStatus());
  scope.get<{ Querystring: { limit: number; after?: number } }>(
    '/connector/failed',
    { schema: page },
    ({ query }) => api.failedEffects(query),
  );
  scope.post('/connector/retry', ({ body }) => {
    const { ids } = readObject(body);
    if (ids === 'all' || isIds(ids)) return api.retryEffects(ids);
    throw invalid();
  });
  scope.get<{ Querystring: Period }>('/connector/agents', { schema: period }, ({ query }) =>
    api.agentDays(query),
  );
  // Not in the path: with values it writes an audit entry.
  scope.post('/connector/explain', ({ body }) => {
    const { task, values } = readObject(body);
    const sid = asTaskSid(task);
    if (!sid || typeof values !== 'boolean') throw invalid();
    return api.explainTask({ task: sid, values });
  });
}

const isIds = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= mostRetried &&
  value.every((one) => Number.isSafeInteger(one) && one > 0);

const invalid = () => new CustodyError('request_invalid', 'the body does not have the fields that it needs');
