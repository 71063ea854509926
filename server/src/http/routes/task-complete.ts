import { createHash } from 'node:crypto';
import { asTaskSid, CustodyError, jsonFields, type TaskSid } from '@flex-custody/core';
import { type FlexTokens, isSignedByTwilio } from '@flex-custody/twilio';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { CompletedBy } from '../../connectors/history/task-complete.ts';
import { cors } from '../plugins/cors.ts';
import { flexViewer } from '../plugins/flex-token.ts';
import type { Limits } from '../plugins/limits.ts';
import { refuseOtherMethods } from '../plugins/methods.ts';
import { perMinute } from '../plugins/rate.ts';

export interface TaskCompleteDeps {
  /** Any of these may have signed; none: no signed request can be verified. */
  authTokens: readonly string[];
  flexTokens: FlexTokens;
  limits: Pick<Limits, 'addresses' | 'strangers'>;
  /** Flex origins whose pages may send. */
  origins: readonly string[];
  /** Of the webhook, without the path. */
  publicUrl: string;
  /** Takes what was sent; the rest follows in a job. */
  completed(taskSid: TaskSid, by: CompletedBy): Promise<void>;
  /** Epoch ms. */
  now?: () => number;
}

/** Bytes. TaskRouter's own callbacks have the task's and the worker's attributes beside its SID. */
const bodyLimit = 128 * 1024;
/** Above what one agent completes. */
const completedAMinute = 60;
/** Of one address from which no request with Twilio's signature has come. */
const unsignedAMinute = 60;

const path = '/webhooks/flex/task-complete';
const signatureHeader = 'x-twilio-signature';
const form = 'application/x-www-form-urlencoded';

/**
 * `POST /webhooks/flex/task-complete`: an agent completed a task. Rights: Twilio's signature by an auth token of the account,
 * over the public URL, or any Flex token. Of a form or JSON only `TaskSid` is read. The answer is 202 once the job that reads
 * the task's events is stored; 503 for a signature that cannot be verified, since the fault may be the host's token or URL.
 */
export async function taskCompleteRoute(scope: FastifyInstance, deps: TaskCompleteDeps): Promise<void> {
  const { authTokens, completed, flexTokens, limits, now, origins, publicUrl } = deps;
  await scope.register(cors, { origins, headers: 'Authorization, Content-Type' });
  refuseOtherMethods(scope, { preflight: true });
  const viewerOf = flexViewer(flexTokens, limits);
  const ofAgents = perMinute(completedAMinute, now);
  const unsigned = perMinute(unsignedAMinute, now);
  const signers = new Set<string>();

  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  const signatureOf = (request: FastifyRequest) => request.headers[signatureHeader];
  // Before the body is read: a body of an unknown sender is not read. A form's signature can be checked only with the form.
  scope.addHook('onRequest', async (request, reply) => {
    if (request.method === 'OPTIONS' || request.routeOptions.config.allow !== undefined) return;
    if (signatureOf(request) === undefined) {
      const { identity } = await viewerOf(request, reply);
      ofAgents.count(identity);
      return;
    }
    const address = limits.addresses.of(request);
    if (address !== undefined && !signers.has(address)) unsigned.count(address);
    if (authTokens.length === 0) throw unverified();
  });

  scope.post(path, { bodyLimit }, async (request, reply) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const fields = fieldsOf(request, body.toString('utf8'));
    const signature = signatureOf(request);
    if (signature !== undefined) {
      const url = publicUrl + (request.raw.url ?? '');
      if (!(await isSigned(authTokens, url, signature, fields, body))) throw unverified();
      const address = limits.addresses.of(request);
      if (address !== undefined) signers.add(address);
    }
    const taskSid = asTaskSid(fields.values['TaskSid']);
    if (!taskSid) throw new CustodyError('request_invalid', 'TaskSid is missing, or is no SID of a task');
    await completed(taskSid, signature === undefined ? 'listener' : 'webhook');
    return reply.code(202).send({ accepted: true });
  });
}

interface Sent {
  isForm: boolean;
  values: Readonly<Record<string, unknown>>;
}

function fieldsOf(request: FastifyRequest, text: string): Sent {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== form) return { isForm: false, values: jsonFields(text) };
  const values: Record<string, unknown> = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) values[name] ??= value;
  return { isForm: true, values };
}

/** Of a form the signature covers the fields, of any other body its hash, which is in the query. */
async function isSigned(
  authTokens: readonly string[],
  url: string,
  signature: string | string[],
  { isForm, values }: Sent,
  body: Buffer,
): Promise<boolean> {
  if (typeof signature !== 'string' || signature === '') return false;
  if (isForm) return isSignedByTwilio(authTokens, [url], signature, values);
  const [, query = ''] = url.split('?');
  const [hash, ...more] = new URLSearchParams(query).getAll('bodySHA256');
  const own = createHash('sha256').update(body).digest('hex');
  return more.length === 0 && hash?.toLowerCase() === own && isSignedByTwilio(authTokens, [url], signature);
}

const unverified = () =>
  new CustodyError('webhook_unverified', 'no auth token of the host made the signature of a webhook');
