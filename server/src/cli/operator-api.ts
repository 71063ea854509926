import { type AccountSid, CustodyError } from '@flex-custody/core';
import { createTwilio } from '@flex-custody/twilio';
import { createKeys } from '@flex-custody/vault';
import { createAudit } from '../access/audit.ts';
import { recordSecretChange } from '../access/secret-audit.ts';
import { createAlarms } from '../alarms/alarms.ts';
import { createCertificates } from '../catalog/certificates.ts';
import { createCatalog } from '../catalog/create-catalog.ts';
import { type Config, loadPartOfConfig, readPartOfConfig, twilioCredentials } from '../config.ts';
import { bindDatabase } from '../custody/bind.ts';
import { custodyDiffers, differences } from '../custody/differences.ts';
import { type CustodyConfig, custodyFacts } from '../custody/facts.ts';
import type { Db } from '../db/db.ts';
import { migrate } from '../db/migrate.ts';
import { openDatabase } from '../db/open.ts';
import { readEventStatus } from '../events/event-status.ts';
import { readHealth } from '../http/operators/health.ts';
import { createOperatorApi, type OperatorApi } from '../http/operators/operator-api.ts';
import { readRecorderStatus } from '../http/operators/recorder-status.ts';
import { remoteOperatorApi } from '../http/operators/remote.ts';
import { operatorSecret } from '../http/operators/routes.ts';
import { openQueue } from '../queue/boss-queue.ts';
import type { Queue } from '../queue/queue.ts';
import { createCompleteness } from '../recorder/completeness/completeness.ts';
import type { TaskRouter } from '../recorder/data-source/employees.ts';
import { type DataSourceConfig, openDataSource } from '../recorder/data-source/open.ts';
import { callerDigests } from '../retention/caller.ts';
import { createPolicies } from '../retention/policies.ts';
import { createRuns, type Work } from '../runs/runs.ts';
import { openConfig } from '../secrets/open-config.ts';
import { createSealedSecrets } from '../secrets/sealed-secrets.ts';
import { createSecretKeys } from '../secrets/secret-keys.ts';
import { createSecrets } from '../secrets/secrets.ts';
import type { SigningIdentity } from '../signing/identity.ts';
import { loadSigning } from '../signing/load.ts';
import { openConnectorApi } from '../start/connector-api.ts';
import { allJobs } from '../start/jobs.ts';
import { detail } from './output.ts';

type Needed = CustodyConfig &
  Partial<Omit<DataSourceConfig, 'accountSid'>> &
  Pick<Config, 'database' | 'ops' | 'secretsKeys'> &
  Partial<Pick<Config, 'brevo' | 'mediaSecret' | 'retries' | 'signing'>>;

/** Settings that work at the database needs. The operators' secret is needed only to ask a running host. */
const needed = [
  'accountSid',
  'store',
  'keyConfig',
  'secretsKeys',
  'callerSecret',
  'signing',
  'database',
  'ops',
  'retries',
  'dataSourceFile',
  'employeesFile',
  'pauseSet',
  'brevo',
] as const;

/** Only TaskRouter's workers need the credentials, so that other work does without them. */
function taskRouterOf(accountSid: AccountSid): TaskRouter {
  const { workspaceSid, ...own } = loadPartOfConfig(['workspaceSid', 'authToken', 'apiKey']);
  const credentials = twilioCredentials({ accountSid, ...own });
  const twilio = createTwilio({ accountSid, workspaceSid, ...credentials });
  return { workspaceSid, worker: (sid) => twilio.worker(sid) };
}

/** Long work that this process does itself, where it has the database. */
export interface OwnWork {
  works(db: Db, queue: Queue): { works: Readonly<Record<string, Work>>; release(): void };
  signal: AbortSignal;
}

/**
 * Does operators' work at the database, or through the running host that has the embedded one open.
 * @param opened the settings, with the database where it is open already; it is closed at the end
 * @throws CustodyError `data_dir_locked` if neither answers, `custody_differs` if the database belongs to another custody
 */
export async function withOperatorApi(
  work: (api: OperatorApi) => Promise<void>,
  opened?: { config: Needed; db?: Db },
  own?: OwnWork,
): Promise<void> {
  const { config, db: already } = opened ?? (await openConfig(needed, { otherwise: secretsOfHost }));
  let db: Db;
  try {
    db = already ?? (await openDatabase(config.database));
  } catch (error) {
    if (!isLocked(error)) throw error;
    return askHost(work, config, error);
  }
  // Jobs that are sent from here have as many tries as those of the host.
  const queue = openQueue(db, { jobs: allJobs, ...(config.retries && { retries: config.retries }) });
  try {
    await migrate(db);
    const signing = config.signing && readable(config.signing);
    await bindDatabase(db, custodyFacts(config));
    const alarms = createAlarms(db);
    const sealedSecrets = createSealedSecrets(db, recordSecretChange);
    const secretKeys = createSecretKeys(config);
    const catalog = createCatalog(db, config.accountSid);
    const dataSource = openDataSource(config, {
      ...{
        db,
        alarms,
        audit: createAudit(db),
        secrets: createSecrets({ sealed: sealedSecrets, keys: secretKeys }),
      },
      taskRouter: () => taskRouterOf(config.accountSid),
    });
    const at = {
      keys: config.keyConfig && createKeys(config.keyConfig),
      ...{ secretKeys, sealedSecrets },
      ...(signing && { signing }),
      ...{ catalog, dataSource },
      alarms,
      certificates: createCertificates(db),
      policies: createPolicies(db, config.accountSid),
      callerDigest: callerDigests(config.callerSecret),
      queue,
      health: () => readHealth(db, config.accountSid),
      events: () => readEventStatus(db),
      recorderStatus: () => readRecorderStatus(db, dataSource),
      connector: openConnectorApi(db, createAudit(db), config),
      completeness: createCompleteness({
        ...{ accountSid: config.accountSid, db },
        ...{ catalog, dataSource, queue },
      }),
      runs: createRuns(db),
    };
    const done = own?.works(db, queue);
    try {
      await work(createOperatorApi({ ...at, works: done?.works ?? {}, ...(own && { signal: own.signal }) }));
    } finally {
      done?.release();
    }
  } finally {
    await queue.stop(0);
    await db.close();
  }
}

const isLocked = (error: unknown): error is CustodyError =>
  error instanceof CustodyError && error.code === 'data_dir_locked';

/**
 * For `openConfig`: the stored secrets of the running host that has the embedded database. They come sealed, and this process
 * opens them. Undefined if no host answers, or if the secret with which to ask is not in the environment.
 */
export async function secretsOfHost(error: unknown, { ops }: Pick<Config, 'ops'>) {
  const { part, faults } = readPartOfConfig(['mediaSecret']);
  if (!isLocked(error) || faults.size > 0) return undefined;
  const api = remoteOperatorApi(urlOf(ops), operatorSecret(part.mediaSecret));
  return api.secrets().catch(() => undefined);
}

/** Most of this work needs no signature; work that needs one says what is missing. */
function readable(config: Config['signing']): SigningIdentity | undefined {
  try {
    return loadSigning(config);
  } catch {
    return undefined;
  }
}

async function askHost(
  work: (api: OperatorApi) => Promise<void>,
  config: Needed,
  locked: CustodyError,
): Promise<void> {
  const url = urlOf(config.ops);
  const { mediaSecret = loadPartOfConfig(['mediaSecret']).mediaSecret } = config;
  detail(`A running host has the embedded database: asking it at ${url}.`);
  try {
    const api = remoteOperatorApi(url, operatorSecret(mediaSecret));
    await compare(api, config);
    await work(api);
  } catch (cause) {
    if (!(cause instanceof CustodyError && cause.code === 'host_unreachable')) throw cause;
    throw new CustodyError(
      'data_dir_locked',
      `${cause.message}, and ${locked.message}; if that process is the host, set CUSTODY_OPS_HOST and CUSTODY_OPS_PORT to the host's`,
      { cause },
    );
  }
}

/** With another caller secret than the host's, `erase --caller` would find no caller and say that nothing matches. */
async function compare(api: Pick<OperatorApi, 'health'>, config: CustodyConfig): Promise<void> {
  const bound = (await api.health()).work?.custody;
  const found = bound ? differences(bound, custodyFacts(config)) : [];
  if (found.length > 0) throw custodyDiffers(found);
}

/** A listener on every address is on loopback too. */
export function urlOf({ host, port }: Config['ops']): string {
  const near = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${near.includes(':') ? `[${near}]` : near}:${port}`;
}
