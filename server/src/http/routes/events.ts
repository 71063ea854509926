import { createHash } from 'node:crypto';
import { CustodyError, errorCode } from '@flex-custody/core';
import { inTime } from '@flex-custody/net';
import { isSignedByTwilio } from '@flex-custody/twilio';
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { Alarms } from '../../alarms/alarms.ts';
import { systemCode } from '../../config/system-code.ts';
import type { Inbox } from '../../events/inbox.ts';
import type { Metrics } from '../../metrics.ts';
import { createEventRefusals, type EventRefusal } from '../plugins/event-refusals.ts';
import type { Limits } from '../plugins/limits.ts';
import { perMinute } from '../plugins/rate.ts';

export interface EventRouteDeps {
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  /** Any of these may have signed; none: no request can be verified. */
  authTokens: readonly string[];
  inbox: Pick<Inbox, 'take'>;
  limits: Pick<Limits, 'addresses'>;
  metrics: Pick<Metrics, 'eventsRefused'>;
  /** Of the sink, without the path. */
  publicUrl: string;
  /** Epoch ms. */
  now?: () => number;
  /** Within which a batch must be stored, ms. */
  limitMs?: number;
}

/** Bytes of a batch. Only a request with a valid signature has its body read. */
const bodyLimit = 8 * 1024 * 1024;
/** Of one address from which no request with Twilio's signature has come. */
const refusedAMinute = 300;
/** Twilio waits 5 s for the answer. */
const usualLimitMs = 4_500;
const retryAfterSeconds = 30;

/** A sink may be set up with another method: Twilio would drop an event that gets a 404 or 405. */
const methods: HTTPMethods[] = ['POST', 'GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

class Refused extends Error {
  constructor(readonly why: EventRefusal) {
    super(why);
  }
}

/**
 * `POST /events`: batches of Event Streams' webhook. Right: Twilio's signature by an auth token of the account.
 * The answer is 200 once the batch is stored or set aside, else 503: Twilio drops an event that gets a 4xx, and sends it
 * again for four hours after a 503.
 */
export async function eventRoutes(scope: FastifyInstance, deps: EventRouteDeps): Promise<void> {
  const { alarms, authTokens, inbox, limits, metrics, publicUrl, now, limitMs = usualLimitMs } = deps;
  const refusals = createEventRefusals(alarms, now);
  const asking = perMinute(refusedAMinute, now);
  /** Addresses of Twilio, or of a proxy before the host: what strangers send from there must not keep Twilio out. */
  const signers = new Set<string>();
  const addressOf = (request: FastifyRequest) => limits.addresses.of(request);

  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  scope.setErrorHandler((error, request, reply) => {
    const why = refusalOf(error);
    refusals.refused(why, addressOf(request) ?? 'an unnamed address');
    metrics.eventsRefused(why);
    // The error of a database may quote what it was given.
    request.log.warn({ event: 'events.refused', why, code: systemCode(error) }, 'events were not taken');
    return refuse(request, reply);
  });

  // Before the body is read: who has no token can send no body.
  scope.addHook('onRequest', async (request) => {
    const address = addressOf(request);
    try {
      if (address !== undefined && !signers.has(address)) asking.count(address);
    } catch {
      throw new Refused('rate');
    }
    if (request.method !== 'POST') throw new Refused('method');
    if (authTokens.length === 0) throw new Refused('configuration');
    if (!(await isSigned(request, authTokens, publicUrl))) throw new Refused('signature');
    if (address !== undefined) signers.add(address);
  });

  scope.route({
    method: methods,
    url: '/events',
    bodyLimit,
    exposeHeadRoute: false,
    async handler(request) {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      if (!hasHash(body, request)) throw new Refused('body_hash');
      const work = inbox.take(recordsIn(body.toString('utf8')), { source: 'webhook' });
      await inTime(work, limitMs, () => new CustodyError('database_unavailable', 'the batch took too long'));
      refusals.accepted();
      return { taken: true };
    },
  });
}

function refuse(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  request.errorCode = 'events_refused';
  return reply.code(503).header('Retry-After', retryAfterSeconds).send({ error: 'events_refused' });
}

function refusalOf(error: unknown): EventRefusal {
  if (error instanceof Refused) return error.why;
  if (systemCode(error) === 'FST_ERR_CTP_BODY_TOO_LARGE') return 'too_large';
  return errorCode(error) === 'database_unavailable' ? 'database' : 'failed';
}

async function isSigned(
  request: FastifyRequest,
  authTokens: readonly string[],
  publicUrl: string,
): Promise<boolean> {
  const signature = request.headers['x-twilio-signature'];
  if (typeof signature !== 'string' || signature === '') return false;
  const path = request.raw.url ?? '';
  // A sink's URL may hold credentials, which arrive as a header.
  const basic = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const credentials = basic === undefined ? [] : [Buffer.from(basic, 'base64').toString('utf8')];
  const urls = ['', ...credentials.map((one) => `${one}@`)].map(
    (one) => publicUrl.replace('://', `://${one}`) + path,
  );
  return isSignedByTwilio(authTokens, urls, signature);
}

/** The signature covers the hash in the query, and the hash covers the body. */
function hasHash(body: Buffer, request: FastifyRequest): boolean {
  const [, query = ''] = (request.raw.url ?? '').split('?');
  const given = new URLSearchParams(query).getAll('bodySHA256');
  return given.length === 1 && given[0]?.toLowerCase() === createHash('sha256').update(body).digest('hex');
}

/** The events of a batch; a body that is no array is one record. */
function recordsIn(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [value];
  } catch {
    return [text];
  }
}
