import { setTimeout as sleep } from 'node:timers/promises';
import { CustodyError } from '@flex-custody/core';
import { orAborted } from '@flex-custody/net';
import type { FastifyInstance } from 'fastify';
import { exitCodeOf } from '../config/exit-code.ts';
import { allSettings, type Config } from '../config.ts';
import type { Db } from '../db/db.ts';
import { createLog, type Logger } from '../log.ts';
import { openConfig } from '../secrets/open-config.ts';
import { compose, type Host } from './compose.ts';
import { explain } from './explain.ts';
import { failureOf, failureText } from './failure.ts';
import type { RunningConsumers } from './run-consumers.ts';

const graceMs = 10_000;
/** After the grace for requests and jobs the process ends, whatever still runs: most supervisors kill it after 30 s. */
const hardEndMs = 25_000;

export interface Running {
  /** Undefined without the role http. */
  url: string | undefined;
  opsUrl: string;
  /** Ends gracefully: no new requests, 10 s for running ones, then jobs, then the database. */
  close(): Promise<void>;
}

/**
 * Starts a host; if a part fails, the others are closed.
 * @param opened the database, where it is open already
 */
export async function start(config: Config, log: Logger, opened?: Db): Promise<Running> {
  const host = await compose(config, log, opened);
  try {
    const opsUrl = await host.ops.listen(config.ops);
    const url = await host.app?.listen({ host: config.host, port: config.port });
    await host.startWorkers?.();
    const consumers = host.startConsumers?.();
    log.info({ event: 'host.ready', url, ops: opsUrl, roles: config.roles }, 'ready');
    return { url, opsUrl, close: once(() => close(host, hardEndMs, consumers)) };
  } catch (error) {
    await close(host);
    throw error;
  }
}

/** @throws CustodyError `closing_late` if something has not ended by then; the process must then end without it */
export async function close(
  host: Host,
  hardMs: number = hardEndMs,
  consumers?: RunningConsumers,
): Promise<void> {
  const late = new CustodyError('closing_late', `not everything ended within ${hardMs / 1_000} s`);
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(late), hardMs);
  try {
    await orAborted(closeInOrder(host, consumers), over.signal, 0);
  } finally {
    clearTimeout(timer);
  }
}

async function closeInOrder(host: Host, consumers: RunningConsumers | undefined): Promise<void> {
  host.goingDown();
  await Promise.all([closeListener(host.app, graceMs), host.queue.stop(graceMs), consumers?.stop()]);
  await closeListener(host.ops, 1_000);
  await host.release();
}

/** Running requests may end; those that are left after the grace, such as a long playback, are cut. */
async function closeListener(app: FastifyInstance | undefined, ms: number): Promise<void> {
  if (!app) return;
  const done = new AbortController();
  const cut = sleep(ms, undefined, { signal: done.signal }).then(
    () => app.server.closeAllConnections(),
    () => undefined,
  );
  await app.close();
  done.abort();
  await cut;
}

/** Runs a host until a signal ends it, then ends the process. */
export async function serve(): Promise<void> {
  let opened: { config: Config; db?: Db };
  try {
    opened = await openConfig(allSettings);
  } catch (error) {
    process.stderr.write(`${failureText(failureOf(error))}\n`);
    process.exit(exitCodeOf(error));
  }
  const { config, db } = opened;
  const log = createLog(config.logLevel);
  process.on('unhandledRejection', (error) => {
    log.fatal({ err: error }, 'unhandled rejection of a promise');
    process.exit(1);
  });
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught error');
    process.exit(1);
  });
  try {
    const running = await start(config, log, db);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) endOn(signal, running, log);
  } catch (error) {
    // An error that a person can correct is one sentence; an unexpected one is logged with its stack.
    if (explain(error) === undefined)
      log.fatal({ event: 'host.failed', err: error }, 'the host could not start');
    else process.stderr.write(`${failureText(failureOf(error))}\n`);
    process.exit(exitCodeOf(error));
  }
}

function endOn(signal: NodeJS.Signals, running: Running, log: Logger): void {
  process.once(signal, () => {
    // A second signal does not wait.
    process.once(signal, () => process.exit(1));
    log.info({ event: 'host.closing', signal }, 'closing');
    running.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ err: error }, 'closing failed');
        process.exit(1);
      },
    );
  });
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= work();
    return running;
  };
}
