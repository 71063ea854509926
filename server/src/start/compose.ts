import { CustodyError } from '@flex-custody/core';
import { createFlexTokens, type FlexTokens } from '@flex-custody/twilio';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { createAudit } from '../access/audit.ts';
import { keepingIdentities } from '../access/identities.ts';
import { createAlarms } from '../alarms/alarms.ts';
import { createCatalog } from '../catalog/create-catalog.ts';
import type { Config } from '../config.ts';
import { bindDatabase, readCustody } from '../custody/bind.ts';
import { custodyFacts } from '../custody/facts.ts';
import type { Db } from '../db/db.ts';
import { encryptIt, inTheClear } from '../db/in-the-clear.ts';
import { buildIndexes } from '../db/indexes.ts';
import { migrate } from '../db/migrate.ts';
import { openDatabase } from '../db/open.ts';
import { buildApp } from '../http/app.ts';
import { readHealth } from '../http/operators/health.ts';
import { createOperatorApi } from '../http/operators/operator-api.ts';
import { operatorSecret } from '../http/operators/routes.ts';
import { buildOps } from '../http/ops.ts';
import { createLimits } from '../http/plugins/limits.ts';
import { ingestRoutes } from '../http/routes/ingest.ts';
import { playbackRoutes } from '../http/routes/playback.ts';
import { reportRoutes } from '../http/routes/reports.ts';
import { createIngest } from '../ingest/index.ts';
import { tellingOfSettings } from '../ingest/setting-alarm.ts';
import type { Logger } from '../log.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import { createMediaLinks } from '../playback/media-link.ts';
import { createRecordingReader } from '../playback/recording-reader.ts';
import { createSegmentLinks } from '../playback/segment-link.ts';
import { createTwilioMedia } from '../playback/twilio-media.ts';
import { openQueue } from '../queue/boss-queue.ts';
import type { Queue } from '../queue/queue.ts';
import { createRecorder } from '../recorder/index.ts';
import { startRetention } from '../retention/index.ts';
import { createPolicies } from '../retention/policies.ts';
import { startTrim } from '../retention/trim.ts';
import type { SigningIdentity } from '../signing/identity.ts';
import { openSigning } from '../signing/load.ts';
import { createHostDeps, createWorks } from './host-deps.ts';
import { applyAtStart, readStartPolicy } from './policy.ts';
import { createProgressLog } from './progress.ts';
import { fresh, mayUse } from './readiness.ts';
import { startWebhooks } from './webhooks.ts';

/** A whole host, put together and not yet at work. */
export interface Host {
  /** Undefined without the role http. */
  app: FastifyInstance | undefined;
  ops: FastifyInstance;
  queue: Queue;
  /** Undefined without the role worker. */
  startWorkers: (() => Promise<void>) | undefined;
  /** From now on the readiness check says that this process goes. */
  goingDown(): void;
  /** Lets go of the bucket and the database, after everything that uses them has ended. */
  release(): Promise<void>;
}

/** Opens the database, brings it up to date and builds the parts of the roles that this process has. */
export async function compose(config: Config, log: Logger): Promise<Host> {
  // A hold that nobody can read would not hold: said now rather than when something is to be erased.
  const policy = readStartPolicy(config.policyFile);
  const openHost = 'url' in config.database ? await inTheClear(config.database.url) : undefined;
  if (openHost !== undefined)
    log.warn(
      { event: 'database.in_the_clear', host: openHost },
      `the database's rows and password go over the network in the clear: ${encryptIt}`,
    );
  const db = await openDatabase(config.database);
  try {
    await migrate(db);
    const signing = await signingOf(config, log, db);
    await bindDatabase(db, custodyFacts(config, signing.thumbprints));
    if (policy) await applyAtStart(createPolicies(db, config.accountSid), policy, log);
    return assemble(config, log, db, signing);
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** The identity that this custody's hosts share; made where none of them ever had one. */
async function signingOf(config: Config, log: Logger, db: Db): Promise<SigningIdentity> {
  const isFirst = async () => {
    const known = (await readCustody(db))?.signingKeys ?? [];
    return known.length === 0 && !(await createCatalog(db, config.accountSid).everSigned());
  };
  const { signing, made } = await openSigning(config.signing, isFirst);
  if (made !== undefined)
    log.warn(
      { event: 'signing.made', file: made },
      'made the signing key: keep a copy of it with the other keys',
    );
  return signing;
}

function assemble(config: Config, log: Logger, db: Db, signing: SigningIdentity): Host {
  const works = config.roles.includes('worker');
  const opened = openQueue(db, {
    supervise: works,
    retries: config.retries,
    onError: (error) => log.warn({ err: error }, 'the job queue had a fault'),
  });
  const queue = tellingOfSettings(opened, createAlarms(db));
  const deps = createHostDeps(config, db, queue, log, signing);
  const { alarms, catalog, credentials, keys, runs, store, twilio } = deps;
  const metrics = createMetrics({
    recordings: () => catalog.counts(),
    alarms: () => alarms.counts(),
    ...(works && { jobs: () => queue.counts() }),
  });
  const { publicUrl, mediaSecret: secret, segmentLinkDays: days } = config;
  const segmentLinks = createSegmentLinks({ secret, publicUrl, days });
  const { accountSid, voiceConsent, watchCalls } = config;
  const { callerDigest } = deps;
  const flexTokens = keepingIdentities(counted(createFlexTokens(config), metrics), deps.identities, log);
  const recorder = createRecorder({
    ...{ accountSid, alarms, catalog, db, flexTokens, log, metrics, queue, twilio, voiceConsent, watchCalls },
    ...(callerDigest && { callerDigest }),
    secret,
    settings: config.pause,
  });
  const ingest = createIngest({
    ...deps,
    whoseCall: recorder.whoseCall,
    observer: {
      copyProgress: createProgressLog(log),
      copied: (_sid, bytes, ms, by) => metrics.copied(bytes, ms, by),
      verified: (_sid, bytes, ms) => metrics.verified(bytes, ms),
    },
    ...(days > 0 && { segmentLink: async (row) => (await segmentLinks.segmentLinkFor(row)) ?? '' }),
  });

  const limits = createLimits({
    trustedProxies: config.trustedProxies,
    streamsPerViewer: config.streamsPerViewer,
    streamsPerAddress: config.streamsPerAddress,
  });
  const playback: FastifyPluginAsync = (scope) =>
    playbackRoutes(scope, {
      catalog,
      flexTokens,
      limits,
      audit: createAudit(db),
      settings: { agentsMayPlayOwn: config.agentsMayPlayOwn },
      mediaLinks: createMediaLinks({ secret, publicUrl, ttlSeconds: config.mediaTtlSeconds }),
      segmentLinks,
      reader: createRecordingReader({ store, keys, log }),
      twilioMedia: createTwilioMedia(credentials),
      store,
      origins: config.flexOrigins,
    });
  const intake: FastifyPluginAsync = (scope) =>
    ingestRoutes(scope, { ingest, secrets: config.functionSecrets });

  const reports: FastifyPluginAsync = (scope) =>
    reportRoutes(scope, {
      recorder,
      flexTokens,
      limits,
      secrets: config.functionSecrets,
      pause: config.pause,
      origins: config.flexOrigins,
    });

  let going = false;
  const ending = new AbortController();
  const ops = buildOps({
    log,
    names: [config.ops.host, ...config.opsNames],
    metrics,
    checks: {
      process: async () => {
        if (going) throw new CustodyError('closing', 'the process is about to end');
      },
      database: () => db.query('SELECT 1'),
      store: fresh(() => mayUse(store, works)),
    },
    operators: {
      api: createOperatorApi({
        catalog,
        alarms,
        queue,
        keys,
        certificates: deps.certificates,
        signing,
        health: () => readHealth(db, config.accountSid),
        policies: deps.policies,
        callerDigest,
        runs,
        works: createWorks(deps),
        signal: ending.signal,
      }),
      secret: operatorSecret(secret),
    },
  });
  // The host works meanwhile: without an index its statements are only slower.
  const building = buildIndexes(db, { log, signal: ending.signal });
  return {
    app: config.roles.includes('http')
      ? buildApp({ log, metrics, routes: [playback, intake, reports], trusts: limits.addresses.trusts })
      : undefined,
    ops,
    queue,
    startWorkers: works
      ? async () => {
          // First: what the others raise is to be sent.
          await startWebhooks(db, deps);
          await ingest.startWorkers();
          await recorder.startWorkers();
          await startRetention(deps);
          await startTrim(deps);
        }
      : undefined,
    goingDown: () => {
      going = true;
      ending.abort(stopping());
    },
    async release() {
      store.close();
      ending.abort(stopping());
      deps.inventory?.store.close();
      await building;
      await db.close();
    },
  };
}

const stopping = () => new CustodyError('stopping', 'the process ends');

/** The same validation, its outcomes counted. */
function counted(flexTokens: FlexTokens, metrics: Pick<Metrics, 'tokenValidated'>): FlexTokens {
  return {
    async validate(token, beforeAsking) {
      try {
        const viewer = await flexTokens.validate(token, beforeAsking);
        metrics.tokenValidated('accepted');
        return viewer;
      } catch (error) {
        const refused = error instanceof CustodyError && error.status < 500;
        metrics.tokenValidated(refused ? 'refused' : 'unavailable');
        throw error;
      }
    },
  };
}
