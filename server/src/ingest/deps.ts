import type { LinkState, RecordingSid } from '@flex-custody/core';
import type { TwilioApi } from '@flex-custody/twilio';
import type { Keys, MediaCredentials, Store, TwilioKeys, UploadState } from '@flex-custody/vault';
import type { Identities } from '../access/identities.ts';
import type { Alarms } from '../alarms/alarms.ts';
import type { IntakeCatalog } from '../catalog/intake-catalog.ts';
import type { KeepingCatalog } from '../catalog/keeping-catalog.ts';
import type { LinkingCatalog } from '../catalog/linking-catalog.ts';
import type { Parties } from '../catalog/live-calls.ts';
import type { LookupCatalog } from '../catalog/lookup-catalog.ts';
import type { Marks } from '../catalog/marks.ts';
import type { OperatingCatalog } from '../catalog/operating-catalog.ts';
import type { RecordingRow } from '../catalog/recording-row.ts';
import type { SealingCatalog } from '../catalog/sealing-catalog.ts';
import type { Uploads } from '../catalog/uploads.ts';
import type { Config } from '../config.ts';
import type { Queue } from '../queue/queue.ts';
import type { CallerDigest } from '../retention/caller.ts';
import type { Policies } from '../retention/policies.ts';
import type { Runs } from '../runs/runs.ts';
import type { SigningIdentity } from '../signing/identity.ts';
import type { InventorySource } from './inventory-source.ts';

/** As pino's; the first argument is fields, never a secret, a token, a phone number or audio. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Who wants to see a recording move: metrics, and whoever prints progress. It must not throw. */
export interface IngestObserver {
  /** Bytes of audio copied so far by this process, of `total` where the source announced it. */
  copyProgress?(sid: RecordingSid, done: number, total: number | undefined): void;
  copied?(sid: RecordingSid, bytes: number, ms: number, by: 'function' | 'worker'): void;
  verified?(sid: RecordingSid, bytes: number, ms: number): void;
  linkSettled?(sid: RecordingSid, state: Exclude<LinkState, 'pending'>): void;
}

export interface IngestDeps {
  config: Pick<
    Config,
    | 'accountSid'
    | 'publicUrl'
    | 'mediaChannels'
    | 'conferenceFirst'
    | 'insightsMeasures'
    | 'leaseMs'
    | 'copiesAtOnce'
    | 'reconcile'
    | 'deleteSourceAfterHours'
  > &
    Partial<Pick<Config, 'acceptUnversioned' | 'database' | 'policyFile' | 'prove' | 'pause'>>;
  /** For the media, which is fetched outside the SDK. */
  credentials: MediaCredentials;
  catalog: LookupCatalog &
    IntakeCatalog &
    LinkingCatalog &
    SealingCatalog &
    Marks &
    Pick<KeepingCatalog, 'now' | 'setAside' | 'lookAgain'> &
    Pick<OperatingCatalog, 'replayed'>;
  /** Of callers' numbers; undefined where no secret for it is set. */
  callerDigest?: CallerDigest;
  /** For what Twilio has sealed; undefined where the account does not have that done. */
  twilioKeys?: TwilioKeys;
  /** Of copies that another process may have to go on with. */
  uploads: Uploads<UploadState>;
  /** What IAM stated of workers. */
  identities: Pick<Identities, 'about'>;
  alarms: Alarms;
  /** How long recordings are kept, and which are held. */
  policies: Pick<Policies, 'inForce'>;
  runs: Runs;
  queue: Queue;
  twilio: TwilioApi;
  store: Store;
  /** Where the keys of the bucket are read; undefined: they are listed. */
  inventory?: InventorySource;
  /** Undefined in sse-kms mode. */
  keys: Keys | undefined;
  /** By which what this host writes is known as its own. */
  signing: SigningIdentity;
  /** How long a copy of this host may stand still, ms; 60,000 by default. */
  workerLeaseMs?: number;
  log: Log;
  observer?: IngestObserver;
  /** Whose call it is by Twilio, where that is known already; what takes longer is a job's. */
  whoseCall?: (row: RecordingRow) => Promise<Parties | undefined>;
  /** Leaves it to a job of the recorder to ask Twilio whose call it is, so many ms from now. */
  askWhoseCall(sid: RecordingSid, afterMs: number): Promise<void>;
  /** Makes the link for the older Player, where the setting is on. */
  segmentLink?: (row: RecordingRow) => Promise<string>;
}
