import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  LogController,
} from 'fastify';
import type { Metrics } from '../metrics.ts';
import type { Upgrade } from '../room.ts';
import { answerError, answerNotFound } from './plugins/errors.ts';
import { serveUpgrades } from './upgrades.ts';

export interface AppDeps {
  log: FastifyBaseLogger;
  /** Each is registered in a scope of its own, with its own parsers, hooks and CORS. */
  routes: readonly FastifyPluginAsync[];
  upgrades?: readonly Upgrade[];
  /** How long upgrades have to end their connections when the app closes, ms. */
  upgradeCloseMs?: number;
  metrics?: Pick<Metrics, 'answered' | 'played'>;
  /** Which proxies may name a client's address; none by default. */
  trusts?: (address: string) => boolean;
}

/** A Flex token in a header may have 64 KiB; the rest of the headers must fit beside it. */
const maxHeaderSize = 72 * 1024;
const bodyLimit = 256 * 1024;
/** Time in which a request must arrive, ms. The answer may take hours, for a slow listener. */
const requestTimeout = 30_000;
/** Longer than the idle limit of the usual load balancers (60 s), which could otherwise reuse a socket as we close it. */
const keepAliveTimeout = 72_000;

const bytesBefore = new WeakMap<object, { socket: Socket; written: number }>();

/** The complete app for browsers and Functions, which does not listen yet. */
export function buildApp(deps: AppDeps): FastifyInstance {
  const app = fastify({
    loggerInstance: deps.log,
    // Our own line below has no query, since queries contain tokens.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    trustProxy: deps.trusts ?? false,
    bodyLimit,
    requestTimeout,
    keepAliveTimeout,
    // A route that answers HEAD declares it: Fastify's default would run GET and open audio.
    exposeHeadRoutes: false,
    return503OnClosing: true,
    // Closing waits for running requests, not for idle keep-alive sockets.
    forceCloseConnections: 'idle',
    http: { maxHeaderSize },
    frameworkErrors: answerError,
  });
  app.setErrorHandler(answerError);
  app.setNotFoundHandler(answerNotFound);

  app.addHook('onRequest', async (request, reply) => {
    reply.header('X-Content-Type-Options', 'nosniff');
    const { socket } = request.raw;
    bytesBefore.set(request.raw, { socket, written: socket.bytesWritten ?? 0 });
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const ms = Math.round(reply.elapsedTime);
    const before = bytesBefore.get(request.raw);
    const bytes = before ? (before.socket.bytesWritten ?? 0) - before.written : 0;
    deps.metrics?.answered(route, reply.statusCode, ms / 1_000);
    if (/^\/(media|segment)\//.test(route)) deps.metrics?.played(bytes);
    const { method, errorCode } = request;
    const whole = reply.raw.writableFinished;
    request.log.info(
      { method, route, status: reply.statusCode, ...(errorCode && { code: errorCode }), bytes, ms, whole },
      'request',
    );
  });
  for (const routes of deps.routes) app.register(routes);
  const { log, upgrades = [], upgradeCloseMs: closeMs } = deps;
  serveUpgrades(app, { log, upgrades, ...(closeMs !== undefined && { closeMs }) });
  return app;
}
