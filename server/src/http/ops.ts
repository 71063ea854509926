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
  /** Host names that it accepts, beside addresses and localhost. */
  names?: readonly string[];
  metrics: Pick<Metrics, 'contentType' | 'read'>;
  /** What must work so that this process is ready, by name; each throws while it does not. */
  checks: Readonly<Record<string, () => Promise<unknown>>>;
  /** The operator API for the command line, and the secret with which the command line signs. */
  operators?: { api: OperatorApi; secret: string };
  /** Longest time for one check, ms. */
  limitMs?: number;
}

/**
 * The operators' listener, separate from the public one and on loopback by default. Right: every client that reaches it by an
 * address or by a name that the host accepts.
 * `/healthz`: the process runs. `/readyz`: it can do its work. `/metrics`: for Prometheus. The rest is for the command line,
 * see {@link operatorRoutes}.
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
  const late = () => new CustodyError('timeout', 'the check did not answer in time');
  return inTime(check(), limitMs, late).then(() => 'ok', errorCode);
}
