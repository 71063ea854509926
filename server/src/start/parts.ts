import {
  createTwilio,
  type TwilioApi,
  type TwilioCalls,
  type TwilioFlexConfiguration,
  type TwilioLive,
  type TwilioTaskState,
} from '@flex-custody/twilio';
import { createKeys, createStore } from '@flex-custody/vault';
import { createAlarms } from '../catalog/alarms.ts';
import { createCatalog } from '../catalog/catalog.ts';
import { type Certificates, createCertificates } from '../catalog/certificates.ts';
import { createUploads } from '../catalog/uploads.ts';
import { type Config, twilioCredentials } from '../config.ts';
import type { Db } from '../db.ts';
import { type IngestParts, importPlain, type Log, rebuild, reconcile, rotateKeys } from '../ingest/index.ts';
import type { Queue } from '../queue/queue.ts';
import { callerDigests } from '../retention/caller.ts';
import { eraseExpired, eraseSelected } from '../retention/erase.ts';
import { createRuns, type Work } from '../runs/runs.ts';

/** What a host is made of, and the command line where it does a host's work. */
export interface HouseParts extends IngestParts {
  certificates: Certificates;
  config: Config;
  twilio: TwilioApi & TwilioLive & TwilioCalls & TwilioFlexConfiguration & TwilioTaskState;
}

export function createParts(config: Config, db: Db, queue: Queue, log: Log): HouseParts {
  const credentials = twilioCredentials(config);
  const { accountSid, workspaceSid } = config;
  const callerDigest = callerDigests(config.callerSecret);
  return {
    config,
    credentials,
    catalog: createCatalog(db),
    uploads: createUploads(db),
    alarms: createAlarms(db),
    certificates: createCertificates(db),
    runs: createRuns(db),
    queue,
    store: createStore(config.store),
    keys: config.keyConfig && createKeys(config.keyConfig),
    ...(callerDigest && { callerDigest }),
    ...(config.twilioKeys && { twilioKeys: config.twilioKeys }),
    twilio: createTwilio({ accountSid, workspaceSid, ...credentials }),
    log,
  };
}

/** Long work by the name that the command line calls it. */
export function createWorks(parts: HouseParts): Readonly<Record<string, Work>> {
  return {
    reconcile: (run) => reconcile(parts, run),
    rebuild: (run) => rebuild(parts, run),
    'rotate-keys': (run) => rotateKeys(parts, run),
    erase: (run) => eraseSelected(parts, run),
    retention: (run) => eraseExpired(parts, run),
    import: (run) => importPlain(parts, run),
  };
}
