import { type Server, STATUS_CODES } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import type { Certificates } from '../certificates.ts';
import { twilioService } from '../certificates.ts';
import { type Fault, type FaultTarget, faultTargets } from '../faults.ts';
import type { World } from '../world.ts';
import { accountRoutes } from './accounts.ts';
import { callRoutes } from './calls.ts';
import { conferenceRoutes } from './conferences.ts';
import { conversationRoutes } from './conversations.ts';
import { eventStreamRoutes } from './event-streams.ts';
import { flexConfigurationRoutes } from './flex-configuration.ts';
import { iamRoutes } from './iam.ts';
import { interactionRoutes } from './interactions.ts';
import { mediaRoutes } from './media.ts';
import { pluginServiceRoutes } from './plugin-service.ts';
import { recordingRoutes } from './recordings.ts';
import { type RestApp, type RestDeps, TwilioError } from './route.ts';
import { streamRoutes } from './streams.ts';
import { taskEventRoutes } from './task-events.ts';
import { taskQueueRoutes } from './task-queues.ts';
import { taskRoutes } from './tasks.ts';
import { webhookRoutes } from './webhooks.ts';

const errorBody = (status: number, code: number, message: string) => ({
  code,
  message,
  more_info: `https://www.twilio.com/docs/errors/${code}`,
  status,
});

export function buildRest(deps: RestDeps, certificates: Pick<Certificates, 'key' | 'cert'>): RestApp {
  const app = Fastify({
    serverFactory: (handler) =>
      createServer({ key: certificates.key, cert: certificates.cert, keepAliveTimeout: 30_000 }, handler),
    bodyLimit: 1024 * 1024,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    app.getDefaultJsonParser('error', 'error'),
  );
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume();
    payload.once('end', () => done(null, {}));
  });
  app.addHook('onRequest', async (request, reply) => {
    const { clockSeconds } = deps.world.behaviour;
    if (clockSeconds !== 0) reply.header('date', new Date(Date.now() + clockSeconds * 1000).toUTCString());
    if (!authorised(deps.world, request.headers.authorization) && !isWebhook(request))
      throw new TwilioError(401, 20003, 'Authenticate');
    const target = targetOf(request);
    // The media route applies its own faults to the body that it streams.
    if (target === undefined || target === 'media') return;
    const request_ = `${request.method} ${request.url}`;
    const fault =
      deps.faults.take(target, request_) ??
      (target === 'taskrouter' ? deps.faults.take('api', request_) : undefined);
    if (!fault) return;
    deps.events.emit('fault.met', {
      target,
      kind: fault.kind,
      request: `${request.method} ${pathOf(request)}`,
    });
    await applyFault(fault, request, reply);
  });
  app.setErrorHandler((error, _request, reply) => {
    const known = error instanceof TwilioError;
    const status = known ? error.status : 500;
    if (status === 401) reply.header('www-authenticate', 'Basic realm="Twilio API"');
    const body = known
      ? errorBody(status, error.code, error.message)
      : errorBody(500, 20500, `the sandbox failed: ${String(error)}`);
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send(errorBody(404, 20404, `The requested resource ${pathOf(request)} was not found`)),
  );
  for (const routes of [
    accountRoutes,
    callRoutes,
    conferenceRoutes,
    conversationRoutes,
    eventStreamRoutes,
    flexConfigurationRoutes,
    iamRoutes,
    interactionRoutes,
    mediaRoutes,
    pluginServiceRoutes,
    recordingRoutes,
    streamRoutes,
    taskEventRoutes,
    taskRoutes,
    taskQueueRoutes,
    webhookRoutes,
  ]) {
    routes(app, deps);
  }
  return app;
}

const pathOf = (request: FastifyRequest) => request.url.split('?')[0] ?? '';

const serviceOf = (request: FastifyRequest) =>
  twilioService((request.headers.host ?? '').split(':')[0] ?? '');

const isWebhook = (request: FastifyRequest) => serviceOf(request) === 'webhooks';

function targetOf(request: FastifyRequest): FaultTarget | undefined {
  const service = serviceOf(request);
  if (service === 'api') return isMedia(request) ? 'media' : 'api';
  return faultTargets.find((target) => target === service);
}

const isMedia = (request: FastifyRequest) => /\/Recordings\/RE[0-9a-f]{32}(\.wav)?$/.test(pathOf(request));

/** HTTP Basic with the account's SID and token, or with an API key and its secret. */
function authorised(world: World, header: string | undefined): boolean {
  const encoded = /^Basic\s+([A-Za-z0-9+/=]+)$/i.exec(header ?? '')?.[1];
  if (!encoded) return false;
  const given = Buffer.from(encoded, 'base64').toString('utf8');
  const { accountSid, authToken, apiKey, apiSecret } = world.account;
  return given === `${accountSid}:${authToken}` || given === `${apiKey}:${apiSecret}`;
}

async function applyFault(fault: Fault, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  switch (fault.kind) {
    case 'status': {
      const status = fault.value ?? 503;
      throw new TwilioError(
        status,
        status === 429 ? 20429 : 20000 + status,
        STATUS_CODES[status] ?? 'Failed',
      );
    }
    case 'html':
      await reply.code(200).type('text/html').send('<html><body><h1>Bad gateway</h1></body></html>');
      return;
    case 'empty':
      await reply.code(200).type('application/json').send('');
      return;
    case 'cut':
    case 'short':
      request.raw.socket.destroy();
      reply.hijack();
      return;
    case 'stall':
      reply.hijack();
      return;
    case 'slow':
      await sleep(fault.value ?? 1000);
  }
}

/** Listens on a free loopback port, which only the proxy needs to know. */
export async function listenRest(app: RestApp): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return ((app.server as Server).address() as AddressInfo).port;
}
