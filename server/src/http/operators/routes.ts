import { createHmac } from 'node:crypto';
import {
  type LinkState,
  linkStates,
  type RecordingSid,
  type RecordingState,
  recordingStates,
} from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import { requireFunctionSignature } from '../plugins/function-signature.ts';
import { completenessRoutes } from './completeness-routes.ts';
import { connectorRoutes } from './connector-routes.ts';
import { dataSourceRoutes } from './data-source-routes.ts';
import type { OperatorApi, Page } from './operator-api.ts';
import { policyRoutes } from './policy-routes.ts';
import { readObject } from './read-object.ts';
import { secretRoutes } from './secret-routes.ts';

const sid = { type: 'string', pattern: '^RE[0-9a-f]{32}$' } as const;
const withSid = { params: { type: 'object', properties: { sid } } } as const;
const reasonText = { type: 'string', pattern: '^[a-z0-9_]{1,64}$' } as const;
const filters = {
  state: { enum: recordingStates },
  link: { enum: linkStates },
  after: sid,
  reason: reasonText,
} as const;
const limit = (rows: number) => ({ type: 'integer', minimum: 1, maximum: 1_000, default: rows }) as const;
const listing = {
  querystring: { type: 'object', properties: { ...filters, limit: limit(50) } },
} as const;
const behindListing = {
  querystring: { type: 'object', required: ['after'], properties: filters },
} as const;
/** The command line of an earlier release sends no limit, and gets as many rows as before. */
const page = (after: object, rows: number) => ({
  querystring: { type: 'object', properties: { limit: limit(rows), after } },
});
const behindPage = (after: object) => ({
  querystring: { type: 'object', required: ['after'], properties: { after } },
});
const alarmId = { type: 'integer', minimum: 1 } as const;
const uuid = { type: 'string', format: 'uuid' } as const;

const withId = { params: { type: 'object', properties: { id: alarmId } } } as const;
const withUuid = { params: { type: 'object', properties: { id: uuid } } } as const;
const withName = {
  params: { type: 'object', properties: { name: { type: 'string', pattern: '^[a-z-]{1,40}$' } } },
} as const;
const beginning = {
  ...withName,
  querystring: { type: 'object', properties: { anew: { type: 'boolean', default: false } } },
} as const;
const deadLetters = {
  querystring: { type: 'object', properties: { reason: reasonText, after: sid } },
} as const;

interface Filters {
  state?: RecordingState;
  link?: LinkState;
  reason?: string;
}

const filtered = ({ state, link, reason }: Filters) => ({
  ...(state && { state }),
  ...(link && { linkState: link }),
  ...(reason && { failure: reason }),
});

/** The command line signs with it to prove that it has the host's settings: it is derived from the media secret, which the Functions do not have. */
export function operatorSecret(mediaSecret: Uint8Array): string {
  return createHmac('sha256', mediaSecret).update('flex-custody operators').digest('hex');
}

/**
 * The command line's way to a catalog that this process alone may open. Right: the signature with the operators' secret, since
 * every user and every browser page on the machine can reach loopback.
 */
export async function operatorRoutes(
  scope: FastifyInstance,
  parts: { api: OperatorApi; secret: string },
): Promise<void> {
  const { api } = parts;
  requireFunctionSignature(scope, [parts.secret]);
  type WithSid = { Params: { sid: RecordingSid } };

  scope.get<{ Querystring: Filters & Page<RecordingSid> }>(
    '/recordings',
    { schema: listing },
    ({ query: { limit, after, ...of } }) => api.list({ ...filtered(of), limit, ...(after && { after }) }),
  );
  scope.get<{ Querystring: Filters & { after: RecordingSid } }>(
    '/recordings/behind',
    { schema: behindListing },
    ({ query: { after, ...of } }) => api.listBehind({ ...filtered(of), after }),
  );
  scope.get<WithSid>('/recordings/:sid', { schema: withSid }, ({ params }) => api.show(params.sid));
  scope.post<{ Querystring: { reason?: string; after?: RecordingSid } }>(
    '/recordings/retry',
    { schema: deadLetters },
    ({ query }) => api.retryAll(query),
  );
  scope.post<WithSid>('/recordings/:sid/retry', { schema: withSid }, ({ params }) => api.retry(params.sid));
  scope.post<WithSid>('/recordings/:sid/revoke-link', { schema: withSid }, ({ params }) =>
    api.revokeLink(params.sid),
  );
  type WithName = { Params: { name: string } };
  scope.post<WithName & { Querystring: { anew: boolean } }>(
    '/runs/:name',
    { schema: beginning },
    async ({ params, query, body }, reply) => {
      // The signature covers the body's text, so the body stays text.
      await api.begin(params.name, readObject(body), { anew: query.anew });
      return reply.code(202).send({ begun: params.name });
    },
  );
  scope.get<WithName>('/runs/:name', { schema: withName }, ({ params }) => api.look(params.name));
  scope.get<{ Querystring: Page<string> }>('/certificates', { schema: page(uuid, 1_000) }, ({ query }) =>
    api.certificates(query),
  );
  scope.get<{ Querystring: { after: string } }>(
    '/certificates/behind',
    { schema: behindPage(uuid) },
    ({ query }) => api.certificatesBehind(query.after),
  );
  scope.get<{ Params: { id: string } }>('/certificates/:id', { schema: withUuid }, ({ params }) =>
    api.certificate(params.id),
  );
  policyRoutes(scope, api);
  dataSourceRoutes(scope, api);
  scope.get('/keys', () => api.keys());
  secretRoutes(scope, api);
  scope.get('/health', () => api.health());
  scope.get('/events', () => api.events());
  scope.get('/recorder/status', () => api.recorderStatus());
  completenessRoutes(scope, api);
  connectorRoutes(scope, api);
  scope.get<{ Querystring: Page<number> }>('/alarms', { schema: page(alarmId, 100) }, ({ query }) =>
    api.alarms(query),
  );
  scope.get<{ Querystring: { after: number } }>(
    '/alarms/behind',
    { schema: behindPage(alarmId) },
    ({ query }) => api.alarmsBehind(query.after),
  );
  scope.post<{ Params: { id: number } }>('/alarms/:id/clear', { schema: withId }, async ({ params }) => {
    await api.clearAlarm(params.id);
    return { cleared: params.id };
  });
}
