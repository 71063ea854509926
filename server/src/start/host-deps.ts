import {
  createTwilio,
  type TwilioApi,
  type TwilioCalls,
  type TwilioConversations,
  type TwilioEventStreams,
  type TwilioFlexConfiguration,
  type TwilioLimits,
  type TwilioLive,
  type TwilioTaskEvents,
  type TwilioTaskQueues,
  type TwilioTaskState,
  type TwilioTaskWorkers,
} from '@flex-custody/twilio';
import { createKeys, createStore } from '@flex-custody/vault';
import { type Audit, createAudit } from '../access/audit.ts';
import { createIdentities, type Identities } from '../access/identities.ts';
import { recordSecretChange } from '../access/secret-audit.ts';
import { createAlarms } from '../alarms/alarms.ts';
import { type AgedRows, createAgedRows } from '../catalog/aged-rows.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { type Certificates, createCertificates } from '../catalog/certificates.ts';
import { createCatalog } from '../catalog/create-catalog.ts';
import { createInventoryKeys } from '../catalog/inventory-keys.ts';
import { createUploads } from '../catalog/uploads.ts';
import { type Config, twilioCredentials } from '../config.ts';
import type { Db } from '../db/db.ts';
import { createInbox } from '../events/create-inbox.ts';
import type { Inbox, InboxLookup } from '../events/inbox.ts';
import { type IngestParts, ingestWorks, type Log, takeInPlace } from '../ingest/index.ts';
import { ingestJobs } from '../ingest/jobs.ts';
import { forgetJobs } from '../queue/forget-jobs.ts';
import type { Queue } from '../queue/queue.ts';
import type { DataSources } from '../recorder/data-source/data-source.ts';
import { openDataSource } from '../recorder/data-source/open.ts';
import { noticing } from '../recorder/event-streams/noticing.ts';
import { recorderJobs } from '../recorder/jobs.ts';
import { lengthAfterMs } from '../recorder/lengths/compare.ts';
import { createRecovery, type Recovery } from '../recorder/recovery/recovery.ts';
import { segmentsOfRecording } from '../recorder/recovery/segments-of.ts';
import { recorderWorks } from '../recorder/works.ts';
import { callerDigests } from '../retention/caller.ts';
import { retentionWorks } from '../retention/index.ts';
import { createPolicies, type Policies } from '../retention/policies.ts';
import type { CheckedWork } from '../runs/options.ts';
import { createRuns } from '../runs/runs.ts';
import { resealSecrets } from '../secrets/reseal.ts';
import { createSealedSecrets, type SealedSecrets } from '../secrets/sealed-secrets.ts';
import { createSecretKeys, type SecretKeys } from '../secrets/secret-keys.ts';
import { createSecrets, type Secrets } from '../secrets/secrets.ts';
import type { SigningIdentity } from '../signing/identity.ts';
import { connectorSyncWorks } from './connector-sync-work.ts';
import { connectorTestWorks } from './connector-test-work.ts';

/** Dependencies of a host, and of the command line when it does a host's work. */
export interface HostDeps extends IngestParts {
  aged: AgedRows;
  catalog: Catalog;
  certificates: Certificates;
  audit: Audit;
  db: Db;
  forgetJobs(sids: readonly string[]): Promise<void>;
  config: Config;
  dataSource: DataSources;
  identities: Identities;
  policies: Policies;
  recovery: Recovery;
  /** The one store of secrets. */
  secrets: Secrets;
  sealedSecrets: SealedSecrets;
  secretKeys: SecretKeys;
  twilio: TwilioApi &
    TwilioLive &
    TwilioCalls &
    TwilioFlexConfiguration &
    TwilioTaskState &
    TwilioEventStreams &
    TwilioTaskEvents &
    TwilioTaskQueues &
    TwilioTaskWorkers &
    TwilioConversations & { limits: TwilioLimits };
  inbox: Inbox & InboxLookup;
}

export function createHostDeps(
  config: Config,
  db: Db,
  queue: Queue,
  log: Log,
  signing: SigningIdentity,
): HostDeps {
  const credentials = twilioCredentials(config);
  const { accountSid, workspaceSid } = config;
  const callerDigest = callerDigests(config.callerSecret);
  const catalog = createCatalog(db, accountSid);
  const sealedSecrets = createSealedSecrets(db, recordSecretChange);
  const secretKeys = createSecretKeys(config);
  const alarms = createAlarms(db);
  const audit = createAudit(db);
  const secrets = createSecrets({ sealed: sealedSecrets, keys: secretKeys });
  const twilio = createTwilio({ accountSid, workspaceSid, ...credentials });
  const deps: Omit<HostDeps, 'recovery'> = {
    config,
    db,
    credentials,
    catalog,
    aged: createAgedRows(db, accountSid, catalog),
    uploads: createUploads(db),
    identities: createIdentities(db),
    alarms,
    certificates: createCertificates(db),
    audit,
    dataSource: openDataSource(config, {
      ...{ db, alarms, audit, secrets },
      taskRouter: () => ({ workspaceSid, worker: (sid) => twilio.worker(sid) }),
    }),
    signing,
    policies: createPolicies(db, accountSid),
    ...{ secrets, sealedSecrets, secretKeys },
    resealSecrets: (options, signal) =>
      resealSecrets({ sealed: sealedSecrets, keys: secretKeys }, options, signal),
    runs: createRuns(db),
    forgetJobs: (sids) => forgetJobs(db, sids),
    queue,
    askWhoseCall: (recordingSid, startAfterMs) =>
      queue.send(recorderJobs.facts, { recordingSid }, { startAfterMs }),
    askLength: (recordingSid) =>
      queue.send(recorderJobs.length, { recordingSid }, { startAfterMs: lengthAfterMs }),
    store: createStore(config.store),
    ...(config.inventory && {
      inventory: {
        store: createStore({ ...config.store, bucket: config.inventory.bucket }),
        prefix: config.inventory.prefix,
        keys: createInventoryKeys(db, catalog),
      },
    }),
    keys: config.keyConfig && createKeys(config.keyConfig),
    ...(callerDigest && { callerDigest }),
    ...(config.twilioKeys && { twilioKeys: config.twilioKeys }),
    twilio,
    inbox: noticing(createInbox({ db, accounts: [accountSid], log }), catalog),
    log,
    segmentsOf: (row) => segmentsOfRecording(db, row),
  };
  const recovery = createRecovery({
    ...{ db, catalog },
    takeIn: (place, how) => takeInPlace(deps, place, how),
    link: (recordingSid) => queue.send(ingestJobs.link, { recordingSid }, { once: 'recover' }),
  });
  return { ...deps, recovery };
}

/** Long work by its name at the command line. */
export function createWorks(deps: HostDeps): Readonly<Record<string, CheckedWork>> {
  return {
    ...{ ...ingestWorks(deps), ...retentionWorks(deps), ...recorderWorks(deps) },
    ...{ ...connectorSyncWorks(deps), ...connectorTestWorks(deps) },
  };
}
