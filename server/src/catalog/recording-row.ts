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

/** What is known of one recording, and where it stands. */
export interface RecordingRow {
  recordingSid: RecordingSid;
  accountSid: AccountSid;
  callSid?: CallSid;
  conferenceSid?: ConferenceSid;
  /** Task, reservation and worker are set only once they are proven. */
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
  /** Links for the older Player carry it; raising it revokes them. */
  segmentGeneration: number;
  failure?: string;
  createdAt: Date;
  updatedAt: Date;
  /** From the callback, or from a sidecar that nobody signed: not proven. */
  hints: { taskSid?: TaskSid; reservationSid?: ReservationSid };
  /** Who made it known: `callback`, `reconcile`, … */
  source: string;
  attempts: number;
  /** When the callback was passed on to Flex's own webhook. */
  forwardedAt?: Date;
  leaseHolder?: string;
  leaseUntil?: Date;
  /** What lies beside the recording in the bucket, once it was written. */
  sidecar?: StoredSidecar;
  /** When the original at Twilio was deleted, by us or found gone. */
  sourceDeletedAt?: Date;
  /** The original at Twilio is ciphertext: until it is copied, nobody can play it. */
  sourceEncrypted: boolean;
  /** Twilio has said that it is whole and there; only a deletion could change that. */
  sourceCompleted: boolean;
  /** Of the task, as it was when the recording was linked. */
  queue?: string;
  direction?: CallDirection;
  /** A keyed digest of the caller's number. */
  caller?: string;
  /** An erasure is at work: nobody plays or copies it. It may have removed nothing yet, and then it can be taken back. */
  intent?: Intent;
  /** What went of it so far. */
  erasure?: Erasure;
  /** From then on nothing is known of it but that it was. */
  erasedAt?: Date;
  /** UUID of the certificate that says so. */
  certificate?: string;
  /** How often somebody began to copy it. */
  leases: number;
  /** The host saw that the copy is equal to Twilio's media. Absent: the copy is verified at most. */
  proof?: CopyProof;
  /** Facts that nobody has proven: nobody's right and no deletion may rest on them. */
  unproven: readonly UnprovenFact[];
  /** Who wrote the object; absent where that was never noted. Only the host's own copies prove anything. */
  copiedBy?: Copier;
  /** A copy of it was bad: no Function copies it again. */
  hostOnly?: true;
  /** When its copy could last not be proven. */
  proofTriedAt?: Date;
  /** Keyed digests of numbers that only task attributes name: they can add a hold and nothing else. */
  hintedCallers: readonly string[];
}

export const copiers = ['host', 'function', 'import', 'adopted'] as const;
export type Copier = (typeof copiers)[number];

export interface Erasure {
  /** Of objects in the bucket. */
  versions: number;
  twilio: 'deleted' | 'gone';
  /** ISO 8601. */
  at: string;
}

/** What an erasure was decided to be, before its first step; its certificate says the same, whichever run ends it. */
export interface Intent {
  /** An operator asked for it, or its time was over. */
  reason: 'erasure' | 'retention';
  /** What the operator wrote. */
  reference?: string;
  /** Digest of the policy it was decided by; `unknown` of one that an earlier release began. */
  policy: string;
  /** Absent of one that an earlier release began. */
  plan?: ErasurePlan;
  begunAt: Date;
}

/** What was seen to be there when it was decided: what of it is missing later has gone. */
export interface ErasurePlan {
  /** Of objects in the bucket, markers of deletions included. */
  versions: readonly { key: string; versionId?: string }[];
  /** Whether Twilio had it. */
  atTwilio: boolean;
}

/** What can be set aside: the recording, or its original at Twilio. */
export type Kept = 'recording' | 'source';

/** What a policy's rules tell recordings apart by; absent: unknown, or unproven. */
export interface RecordingKind {
  queue?: string;
  direction?: CallDirection;
}

/** The recordings of one kind that started before a time. */
export interface Expiry extends RecordingKind {
  before: Date;
  /** Behind this one, by start. */
  after?: { startedAt: Date; recordingSid: RecordingSid };
}

/**
 * Recordings that may have lost their job: those of a state; verified ones without a sidecar; verified ones that can still
 * be proven and were not tried within a day; those whose link is pending.
 */
export type Stale = { olderThan: Date } & (
  | { which: 'state'; state: 'registered' | 'copying' | 'sealed' }
  | { which: 'state'; state: 'failed'; failures: readonly string[] }
  | { which: 'undescribed' | 'unproven' | 'pending-link' }
);

/** The last row of a page of them; opaque. */
export type StaleMark = string & { readonly staleMark: unique symbol };

export interface StoredSidecar {
  key: string;
  versionId?: string;
  etag: string;
  /** Of the key that sealed it; absent where that is not known. */
  keyId?: string;
  /** Id of the host's key that signed it; absent for those that nobody signed, or that no listed key did. */
  signedBy?: string;
}

/** An object of an older bucket, in plain. */
export interface ImportedObject {
  bucket: string;
  key: string;
  /** Absent where that bucket never kept versions. */
  versionId?: string;
  etag: string;
  /** Of its own bytes. */
  sha256: string;
  /** Of the bytes that were sealed, where its header was put right: only two sizes differ. */
  repairedSha256?: string;
}

/** Whom a restored recording's facts come from: a host, which signed its sidecar, or somebody who may be anybody. */
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
  /** See {@link RecordingRow}; of a recording that was not known yet. */
  unproven?: readonly UnprovenFact[];
}

export interface Owner {
  taskSid: TaskSid;
  reservationSid?: ReservationSid;
  workerSid?: WorkerSid;
  queue?: string;
  /** Added to those that are there. */
  hintedCallers?: readonly string[];
}

/** Which recordings are meant: each that is named in one way at least. */
export interface Selection {
  recordings?: readonly RecordingSid[];
  tasks?: readonly TaskSid[];
  /** Digests. */
  callers?: readonly string[];
}

export interface Listing {
  state?: RecordingState;
  linkState?: LinkState;
  /** Why it failed. */
  failure?: string;
  /** At most 1000. */
  limit: number;
  /** Rows behind this one, newest first. */
  after?: RecordingSid;
}

export interface Counts {
  states: Record<RecordingState, number>;
  links: Record<LinkState, number>;
  /** Of those that are verified. */
  proven: number;
}

/** The right to copy one recording, for a while. */
export interface Lease {
  /** Shown with whatever is done by it. */
  secret: string;
  /** Nobody has had it before, so nothing of the recording was begun. */
  isFirst: boolean;
}

/** Under which secrets the callers are noted. */
export interface CallerKeys {
  /** Without an id: digests of earlier releases, which name no secret. */
  keys: readonly { keyId?: string; recordings: number }[];
  /** Whose caller is not known, or not proven. */
  none: number;
}
