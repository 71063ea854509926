import type { LinkState, RecordingSid, ReservationSid, TaskSid, WorkerSid } from '@flex-custody/core';
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
import type { Resealed, ResealOptions } from '../secrets/reseal.ts';
import type { SigningIdentity } from '../signing/identity.ts';
import type { InventorySource } from './inventory-source.ts';

/** A logger like pino. Fields never hold a secret, a token, a phone number or audio. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** An agent's segment of a call, by TaskRouter's events. */
export interface SegmentHint {
  taskSid: TaskSid;
  reservationSid: ReservationSid;
  workerSid: WorkerSid;
}

/** Is called at each step of a recording, for metrics and for progress output. It must not throw. */
export interface IngestObserver {
  /** Bytes of audio copied so far by this process, of `total` if the source announced it. */
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
  /** For requests of media, which do not use the SDK. */
  credentials: MediaCredentials;
  catalog: LookupCatalog &
    IntakeCatalog &
    LinkingCatalog &
    SealingCatalog &
    Marks &
    Pick<KeepingCatalog, 'now' | 'setAside' | 'lookAgain'> &
    Pick<OperatingCatalog, 'replayed'>;
  /** Makes digests of callers' numbers; undefined if no secret is set. */
  callerDigest?: CallerDigest;
  /** Private keys for recordings that Twilio encrypts; undefined if the account does not use that. */
  twilioKeys?: TwilioKeys;
  /** Progress of copies, for another process to continue. */
  uploads: Uploads<UploadState>;
  /** What IAM stated about workers. */
  identities: Pick<Identities, 'about'>;
  alarms: Alarms;
  /** The policy in force: how long recordings are kept, and which are held. */
  policies: Pick<Policies, 'inForce'>;
  runs: Runs;
  queue: Queue;
  twilio: TwilioApi;
  store: Store;
  /** The inventory with the bucket's keys; undefined: the host lists the bucket. */
  inventory?: InventorySource;
  /** Undefined in sse-kms mode. */
  keys: Keys | undefined;
  /** Seals stored secrets again, under the newest key. */
  resealSecrets(options: ResealOptions, signal: AbortSignal): Promise<Resealed>;
  /** The key that signs what this host writes. */
  signing: SigningIdentity;
  /** Length of a worker's lease in ms; 60,000 by default. */
  workerLeaseMs?: number;
  log: Log;
  observer?: IngestObserver;
  /** The direction and the caller, if Twilio's facts are known already; a job finds what takes longer. */
  whoseCall?: (row: RecordingRow) => Promise<Parties | undefined>;
  /** Sends the recorder's job that asks Twilio for direction and caller, so many ms from now. */
  askWhoseCall(sid: RecordingSid, afterMs: number): Promise<void>;
  /** Agents' segments, by the recorder's sessions, that a recording may be of; none is proven by it. */
  segmentsOf?: (row: RecordingRow) => Promise<readonly SegmentHint[]>;
  /** Sends the recorder's job that compares the recording's length with its call, some minutes from now. */
  askLength(sid: RecordingSid): Promise<void>;
  /** Makes the segment link for the older Player, if the setting is on. */
  segmentLink?: (row: RecordingRow) => Promise<string>;
}
