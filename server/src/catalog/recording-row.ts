import type {
  AccountSid,
  CallDirection,
  CallSid,
  ConferenceSid,
  CopyProof,
  LinkState,
  RecordingSid,
  RecordingState,
  ReservationSid,
  SealedObject,
  TaskSid,
  UnprovenFact,
  WorkerSid,
} from '@flex-custody/core';

/** What the catalog knows of one recording, and its state. */
export interface RecordingRow {
  recordingSid: RecordingSid;
  accountSid: AccountSid;
  callSid?: CallSid;
  conferenceSid?: ConferenceSid;
  /** Task, reservation and worker are set only after Twilio has proven them. */
  taskSid?: TaskSid;
  reservationSid?: ReservationSid;
  workerSid?: WorkerSid;
  channels: 1 | 2;
  durationSeconds?: number;
  startedAt: Date;
  state: RecordingState;
  linkState: LinkState;
  linkReason?: string;
  object?: SealedObject;
  verifiedAt?: Date;
  /** Segment links contain it; raising it revokes them. */
  segmentGeneration: number;
  failure?: string;
  createdAt: Date;
  updatedAt: Date;
  /** From the callback or from an unsigned sidecar: not proven. */
  hints: { taskSid?: TaskSid; reservationSid?: ReservationSid };
  /** What announced it: `callback`, `reconcile`, … */
  source: string;
  attempts: number;
  /** When the callback was forwarded to Flex's own webhook. */
  forwardedAt?: Date;
  leaseHolder?: string;
  leaseUntil?: Date;
  /** The recording's sidecar in the bucket, once written. */
  sidecar?: StoredSidecar;
  /** When the host deleted the original at Twilio, or found that it no longer exists. */
  sourceDeletedAt?: Date;
  /** The original at Twilio is ciphertext: it cannot be played until it is copied. */
  sourceEncrypted: boolean;
  /** Twilio has stated that the recording is completed; only a deletion could change that. */
  sourceCompleted: boolean;
  /** The task's queue when the recording was linked. */
  queue?: string;
  direction?: CallDirection;
  /** A keyed digest of the caller's number. */
  caller?: string;
  /** An erasure has begun: the recording is neither played nor copied. If nothing was removed yet, the erasure can be taken back. */
  intent?: Intent;
  /** What the erasure has removed so far. */
  erasure?: Erasure;
  /** When it was erased; from then on the catalog knows only its SID. */
  erasedAt?: Date;
  /** UUID of the certificate of its erasure. */
  certificate?: string;
  /** How many leases were granted to copy it. */
  leases: number;
  /** The host's proof that the copy is equal to Twilio's media. Absent: the copy is at most verified. */
  proof?: CopyProof;
  /** Unproven facts: no right and no deletion may depend on them. */
  unproven: readonly UnprovenFact[];
  /** Who wrote the object; absent: unknown. Only a copy by the host can be its own proof. */
  copiedBy?: Copier;
  /** A copy of it was bad: only the host copies it again. */
  hostOnly?: true;
  /** When the host last failed to prove its copy. */
  proofTriedAt?: Date;
  /** Keyed digests of numbers that only task attributes name: they can only add a hold. */
  hintedCallers: readonly string[];
}

export const copiers = ['host', 'function', 'import', 'adopted'] as const;
export type Copier = (typeof copiers)[number];

export interface Erasure {
  /** How many versions of objects were removed from the bucket. */
  versions: number;
  twilio: 'deleted' | 'gone';
  /** ISO 8601. */
  at: string;
}

/**
 * `erasure`: an operator asked for it. `retention`: its period in the policy was over. `short-session`: its call was
 * shorter than the data source's minimum.
 */
export type ErasureReason = 'erasure' | 'retention' | 'short-session';

/** A short call, and the policy by which it is one. */
export interface ShortSession {
  /** The session's id, such as its first task's SID. */
  id: string;
  /** ISO 8601. */
  connectedAt: string;
  closedAt: string;
  /** Between both. */
  seconds: number;
  minimumSeconds: number;
  /** Version of the data source's settings. */
  settings: number;
}

/** The decision to erase, stored before the first step; the certificate states it, whichever run ends the erasure. */
export interface Intent {
  reason: ErasureReason;
  /** What the operator wrote. */
  reference?: string;
  /** With the reason `short-session`. */
  session?: ShortSession;
  /** Digest of the policy in force at the decision; `unknown` if an earlier release began the erasure. */
  policy: string;
  /** Absent if an earlier release began the erasure. */
  plan?: ErasurePlan;
  begunAt: Date;
}

/** What existed at the decision: whatever of it is missing later was removed. */
export interface ErasurePlan {
  /** Versions of objects in the bucket, delete markers included. */
  versions: readonly { key: string; versionId?: string }[];
  /** Whether Twilio had the original. */
  atTwilio: boolean;
}

/** What can be set aside: the recording, or its original at Twilio. */
export type Kept = 'recording' | 'source';

/** The facts by which a policy's rules distinguish recordings; absent: unknown or unproven. */
export interface RecordingKind {
  queue?: string;
  direction?: CallDirection;
}

/** The recordings of one kind that started before a time. */
export interface Expiry extends RecordingKind {
  before: Date;
  /** Only recordings after this one, by start and SID. */
  after?: { startedAt: Date; recordingSid: RecordingSid };
}

/**
 * Recordings that may have lost their job: those in a state; verified ones without a sidecar; verified ones that can
 * still be proven and were not tried within a day; those with a pending link.
 */
export type Stale = { olderThan: Date } & (
  | { which: 'state'; state: 'registered' | 'copying' | 'sealed' }
  | { which: 'state'; state: 'failed'; failures: readonly string[] }
  | { which: 'undescribed' | 'unproven' | 'pending-link' }
);

/** The last row of a page; opaque. */
export type StaleMark = string & { readonly staleMark: unique symbol };

export interface StoredSidecar {
  key: string;
  versionId?: string;
  etag: string;
  /** Id of the key that sealed it; absent: unknown. */
  keyId?: string;
  /** Id of the host's key that signed it; absent if it is unsigned, or if the key is not listed. */
  signedBy?: string;
}

/** An unencrypted object of an older bucket. */
export interface ImportedObject {
  bucket: string;
  key: string;
  /** Absent if that bucket never had versioning. */
  versionId?: string;
  etag: string;
  /** SHA-256 of its own bytes. */
  sha256: string;
  /** SHA-256 of the sealed bytes, if the import corrected the two sizes in the header. */
  repairedSha256?: string;
}

/** Where a restored recording's facts come from: a sidecar that a host signed, or an unsigned one, whose facts are unproven. */
export type Restoration = { signed: StoredSidecar } | { unproven: readonly UnprovenFact[] };

export interface Registration {
  recordingSid: RecordingSid;
  accountSid: AccountSid;
  callSid?: CallSid;
  conferenceSid?: ConferenceSid;
  channels: 1 | 2;
  durationSeconds?: number;
  startedAt: Date;
  hints: { taskSid?: TaskSid; reservationSid?: ReservationSid };
  source: string;
  /** See {@link RecordingRow}. */
  sourceEncrypted?: boolean;
  sourceCompleted?: boolean;
  /** See {@link RecordingRow}; only for a new recording. */
  unproven?: readonly UnprovenFact[];
}

export interface Owner {
  taskSid: TaskSid;
  reservationSid?: ReservationSid;
  workerSid?: WorkerSid;
  queue?: string;
  /** Added to the stored ones. */
  hintedCallers?: readonly string[];
}

/** The selected recordings: every one that at least one of these fields names. */
export interface Selection {
  recordings?: readonly RecordingSid[];
  tasks?: readonly TaskSid[];
  /** Digests. */
  callers?: readonly string[];
}

export interface Listing {
  state?: RecordingState;
  linkState?: LinkState;
  /** The reason of the failure. */
  failure?: string;
  /** At most 1000. */
  limit: number;
  /** Only rows after this one, newest first. */
  after?: RecordingSid;
}

export interface Counts {
  states: Record<RecordingState, number>;
  links: Record<LinkState, number>;
  /** How many of the verified recordings are proven. */
  proven: number;
}

/** The right to copy one recording for a limited time. */
export interface Lease {
  /** The holder presents it with every write under the lease. */
  secret: string;
  /** It is the recording's first lease, so no earlier copy was begun. */
  isFirst: boolean;
}

/** How many callers' digests each secret has made. */
export interface CallerKeys {
  /** Without an id: digests of earlier releases, which contain no secret's id. */
  keys: readonly { keyId?: string; recordings: number }[];
  /** Recordings whose caller is unknown or unproven. */
  none: number;
}
