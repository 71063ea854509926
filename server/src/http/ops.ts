import { CustodyError, errorCode } from '@flex-custody/core';
import { inTime } from '@flex-custody/net';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Metrics } from '../metrics.ts';
import type { OperatorApi } from './operators/operator-api.ts';
import { operatorRoutes } from './operators/routes.ts';
import { answerError, answerNotFound } from './plugins/errors.ts';
import { requireKnownHost } from './plugins/host-names.ts';

export interface OpsDeps {
  log: FastifyBaseLogger;
  /** By which it may be asked, beside addresses and localhost. */
  names?: readonly string[];
  metrics: Pick<Metrics, 'contentType' | 'read'>;
  /** What must work for this process to be of use, by name; each throws when it does not. */
  checks: Readonly<Record<string, () => Promise<unknown>>>;
  /** What the command line asks of this process, and the secret that it signs with. */
  operators?: { api: OperatorApi; secret: string };
  /** Longest time for one check, ms. */
  limitMs?: number;
}

/**
 * The operators' listener, apart from the public one and on loopback unless told otherwise. Who may: whoever reaches it by
 * an address or a name that we know.
 * `/healthz`: the process runs. `/readyz`: it can do its work. `/metrics`: for Prometheus. `/recordings` and `/alarms` are
 * the command line's, see {@link operatorRoutes}.
 */
export function buildOps(deps: OpsDeps): FastifyInstance {
  const app = fastify({
    loggerInstance: deps.log,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
  });
  app.setErrorHandler(answerError);
  app.setNotFoundHandler(answerNotFound);
  requireKnownHost(app, deps.names ?? []);

  app.get('/healthz', async () => ({ ok: true }));

  app.get('/readyz', async (_request, reply) => {
    const names = Object.keys(deps.checks);
    const results = await Promise.all(
      Object.values(deps.checks).map((check) => outcome(check, deps.limitMs ?? 3_000)),
    );
    const checks = Object.fromEntries(names.map((name, index) => [name, results[index] ?? 'unexpected']));
    const ok = results.every((result) => result === 'ok');
    return reply.code(ok ? 200 : 503).send({ ok, checks });
  });

  app.get('/metrics', async (_request, reply) =>
    reply.type(deps.metrics.contentType).send(await deps.metrics.read()),
  );
  const { operators } = deps;
  if (operators) app.register((scope) => operatorRoutes(scope, operators));
  return app;
}

/** `ok`, or the code of what is wrong. */
async function outcome(check: () => Promise<unknown>, limitMs: number): Promise<string> {
  const late = () => new CustodyError('timeout', 'the check gave no answer in time');
  return inTime(check(), limitMs, late).then(() => 'ok', errorCode);
}
