import { type AccountSid, CustodyError, isObject } from '@flex-custody/core';
import type { FlexTokens } from '@flex-custody/twilio';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Audit } from '../../access/audit.ts';
import { may } from '../../access/may.ts';
import type { DataSources } from '../../recorder/data-source/data-source.ts';
import { cors } from '../plugins/cors.ts';
import { flexViewer } from '../plugins/flex-token.ts';
import type { Limits } from '../plugins/limits.ts';
import { refuseOtherMethods } from '../plugins/methods.ts';
import { perMinute } from '../plugins/rate.ts';

export interface DataSourceRouteDeps {
  accountSid: AccountSid;
  audit: Pick<Audit, 'record'>;
  dataSource: Pick<DataSources, 'view' | 'change'>;
  flexTokens: FlexTokens;
  limits: Pick<Limits, 'addresses' | 'strangers'>;
  /** Flex origins whose pages may read and change the settings. */
  origins: readonly string[];
}

/** Bytes; all settings at their longest have less. */
const bodyLimit = 64 * 1024;
const requestsAMinute = 60;
const mostComment = 500;

/**
 * `GET`, `PUT /settings/data-source`: the settings, for admins of Flex. A change names its version as `If-Match: "7"`, which is
 * the `ETag` of the settings. What is wrong with them is answered as `{error, faults}`: admins alone see it, and a fault quotes no value.
 */
export async function dataSourceRoute(scope: FastifyInstance, deps: DataSourceRouteDeps): Promise<void> {
  const { accountSid, audit, dataSource, origins } = deps;
  await scope.register(cors, { origins, headers: 'Authorization, Content-Type, If-Match' });
  refuseOtherMethods(scope, { preflight: true });
  const viewerOf = flexViewer(deps.flexTokens, deps.limits);
  const asked = perMinute(requestsAMinute);

  scope.route({
    method: ['GET', 'PUT'],
    url: '/settings/data-source',
    bodyLimit,
    handler: async (request, reply) => {
      const viewer = await viewerOf(request, reply);
      asked.count(viewer.identity);
      reply.header('Cache-Control', 'no-store');
      const isChange = request.method === 'PUT';
      const { allowed, reason } = may(viewer, isChange ? 'change-data-source' : 'read-data-source');
      if (!allowed) {
        if (isChange)
          await audit.record({
            ...{ viewer, allowed, reason, requestId: request.id, action: 'data-source.set' },
            subject: { kind: 'account', sid: accountSid },
          });
        throw new CustodyError('settings_forbidden', 'the viewer may not read or change the settings');
      }
      if (!isChange) {
        const view = await dataSource.view();
        return tagged(reply, view.version).send(view);
      }
      const over = versionOf(request);
      const { settings, comment } = bodyOf(request.body);
      const { identity: by } = viewer;
      const outcome = await dataSource.change({
        ...{ settings, over, by, comment, viewer, reason, requestId: request.id },
      });
      const { faults, ...changed } = outcome;
      if (faults.length > 0) return reply.code(422).send({ error: 'data_source_invalid', faults });
      return tagged(reply, outcome.version).send(changed);
    },
  });
}

const tagged = (reply: FastifyReply, version: number): FastifyReply => reply.header('ETag', `"${version}"`);

/** @throws CustodyError `version_missing` (428), `request_invalid` (400) */
function versionOf({ headers }: FastifyRequest): number {
  const text = headers['if-match'];
  if (text === undefined) throw new CustodyError('version_missing', 'the request has no If-Match');
  const [, version] = /^"(\d{1,9})"$/.exec(text.trim()) ?? [];
  if (version === undefined)
    throw new CustodyError('request_invalid', 'If-Match is not one version, such as "7"');
  return Number(version);
}

/** @throws CustodyError `request_invalid` (400) */
function bodyOf(body: unknown): { settings: unknown; comment: string | undefined } {
  const { settings, comment } = isObject(body) ? body : {};
  const isComment = comment === undefined || (typeof comment === 'string' && comment.length <= mostComment);
  if (!isObject(settings) || !isComment)
    throw new CustodyError('request_invalid', 'the body is not {settings, comment?}');
  return { settings, comment };
}
