import { CustodyError } from '@flex-custody/core';
import { createFlexTokens } from '@flex-custody/twilio';
import type { FastifyInstance } from 'fastify';
import { keepingIdentities } from '../access/identities.ts';
import type { Config } from '../config.ts';
import type { BrevoConfig } from '../connectors/brevo/config/brevo-config.ts';
import type { Db } from '../db/db.ts';
import { buildIndexes } from '../db/indexes.ts';
import { readEventStatus } from '../events/event-status.ts';
import { buildApp } from '../http/app.ts';
import { readHealth } from '../http/operators/health.ts';
import { createOperatorApi } from '../http/operators/operator-api.ts';
import { readRecorderStatus } from '../http/operators/recorder-status.ts';
import { operatorSecret } from '../http/operators/routes.ts';
import { buildOps } from '../http/ops.ts';
import { createLimits } from '../http/plugins/limits.ts';
import type { Logger } from '../log.ts';
import { createMetrics, type MetricSources } from '../metrics.ts';
import { createSegmentLinks } from '../playback/segment-link.ts';
import { openQueue } from '../queue/boss-queue.ts';
import type { Queue } from '../queue/queue.ts';
import { createCompleteness } from '../recorder/completeness/completeness.ts';
import { type Duty, doesIt, type Room } from '../room.ts';
import type { SigningIdentity } from '../signing/identity.ts';
import { openConnectorApi } from './connector-api.ts';
import { counted } from './counted-tokens.ts';
import { createHostDeps } from './host-deps.ts';
import { allJobs } from './jobs.ts';
import { withDatabase } from './open-database.ts';
import { fresh, mayUse } from './readiness.ts';
import { openRooms } from './rooms/index.ts';
import { type RunningConsumers, runConsumers } from './run-consumers.ts';
import { runJobs } from './run-jobs.ts';

/** A complete host that has not started yet. */
export interface Host {
  /** Undefined if no role of this process answers requests. */
  app: FastifyInstance | undefined;
  ops: FastifyInstance;
  queue: Queue;
  /** Undefined if no role of this process runs jobs. */
  startWorkers: (() => Promise<void>) | undefined;
  /** Undefined if no role of this process has consumers. */
  startConsumers: (() => RunningConsumers) | undefined;
  /** Makes the readiness check fail, since this process will end. */
  goingDown(): void;
  /** Closes the bucket and the database, after everything that uses them has ended. */
  release(): Promise<void>;
}

/**
 * Opens the database, migrates it and builds the parts of this process's roles.
 * @param opened the database, where it is open already
 */
export const compose = (config: Config, log: Logger, opened?: Db): Promise<Host> =>
  withDatabase(config, log, (db, signing, brevo) => assemble(config, log, db, signing, brevo), opened);

function assemble(
  config: Config,
  log: Logger,
  db: Db,
  signing: SigningIdentity,
  brevo: BrevoConfig | undefined,
): Host {
  const worksOnJobs = doesIt(config.roles, 'jobs');
  const queue = openQueue(db, {
    jobs: allJobs,
    supervise: worksOnJobs,
    retries: config.retries,
    onError: (error) => log.warn({ err: error }, 'an error of the job queue'),
  });
  const deps = createHostDeps(config, db, queue, log, signing);
  const { alarms, store } = deps;
  const own = { alarms: () => alarms.counts(), ...(worksOnJobs && { jobs: () => queue.counts() }) };
  const metrics = createMetrics(() => merged<MetricSources>(own, rooms, ({ metrics: more }) => more));
  const { mediaSecret: secret, publicUrl, segmentLinkDays: days } = config;
  const limits = createLimits(config);
  const flexTokens = keepingIdentities(counted(createFlexTokens(config), metrics), deps.identities, log);
  const segmentLinks = createSegmentLinks({ secret, publicUrl, days });
  const rooms: readonly Room[] = openRooms({
    ...{ ...deps, db, metrics, flexTokens, limits, segmentLinks },
    ...(brevo && { brevo }),
  });
  const roomsFor = (duty: Duty) => (doesIt(config.roles, duty) ? rooms : []);

  let isEnding = false;
  const ending = new AbortController();
  const ops = buildOps({
    log,
    names: [config.ops.host, ...config.opsNames],
    metrics,
    checks: {
      process: async () => {
        if (isEnding) throw new CustodyError('closing', 'the process is about to end');
      },
      database: () => db.query('SELECT 1'),
      store: fresh(() => mayUse(store, worksOnJobs)),
    },
    operators: {
      api: createOperatorApi({
        ...deps,
        health: () => readHealth(db, config.accountSid),
        events: () => readEventStatus(db),
        recorderStatus: () => readRecorderStatus(db, deps.dataSource),
        connector: openConnectorApi(db, deps.audit, config),
        completeness: createCompleteness({ ...deps, accountSid: config.accountSid, db, queue }),
        works: merged<Required<Room>['works']>({}, roomsFor('works'), (room) => room.works),
        signal: ending.signal,
      }),
      secret: operatorSecret(secret),
    },
  });
  // The host works meanwhile: without an index statements are only slower.
  const building = buildIndexes(db, { log, signal: ending.signal });
  const routes = roomsFor('routes').flatMap((room) => room.routes ?? []);
  const upgrades = roomsFor('upgrades').flatMap((room) => room.upgrades ?? []);
  const consumers = roomsFor('consumers').flatMap((room) => room.consumers ?? []);
  return {
    app:
      routes.length + upgrades.length > 0
        ? buildApp({ log, metrics, routes, upgrades, trusts: limits.addresses.trusts })
        : undefined,
    ops,
    queue,
    startWorkers: worksOnJobs ? () => runJobs(rooms, { queue, alarms, log }) : undefined,
    startConsumers: consumers.length > 0 ? () => runConsumers(consumers, log) : undefined,
    goingDown: () => {
      isEnding = true;
      ending.abort(stopping());
    },
    async release() {
      store.close();
      ending.abort(stopping());
      for (const room of rooms) room.close?.();
      await building;
      await db.close();
    },
  };
}

const stopping = () => new CustodyError('stopping', 'the process ends');

/** Merges what rooms offer under names. */
function merged<T extends object>(own: T, rooms: readonly Room[], of: (room: Room) => T | undefined): T {
  let all = own;
  for (const room of rooms) all = { ...all, ...of(room) };
  return all;
}
