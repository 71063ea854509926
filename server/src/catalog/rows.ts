import type {
  CallDirection,
  CopyProof,
  LinkState,
  RecordingState,
  SealedObject,
  UnprovenFact,
} from '@flex-custody/core';
import {
  asAccountSid,
  asCallSid,
  asConferenceSid,
  asRecordingSid,
  asReservationSid,
  asTaskSid,
  asWorkerSid,
  CustodyError,
} from '@flex-custody/core';
import type { Copier, Erasure, Intent, RecordingRow, StoredSidecar } from './catalog.ts';

/** A row of `recordings` as both engines give it. */
export interface StoredRow {
  recording_sid: string;
  account_sid: string;
  call_sid: string | null;
  conference_sid: string | null;
  task_sid: string | null;
  reservation_sid: string | null;
  worker_sid: string | null;
  channels: number;
  duration_seconds: number | null;
  started_at: Date;
  source: string;
  hints: { taskSid?: string; reservationSid?: string };
  state: RecordingState;
  link_state: LinkState;
  link_reason: string | null;
  lease_holder: string | null;
  lease_until: Date | null;
  object: SealedObject | null;
  verified_at: Date | null;
  segment_generation: number;
  failure: string | null;
  attempts: number;
  forwarded_at: Date | null;
  sidecar: StoredSidecar | null;
  source_deleted_at: Date | null;
  source_encrypted: boolean;
  source_completed: boolean;
  queue: string | null;
  direction: CallDirection | null;
  caller: string | null;
  erasure: Erasure | null;
  intent: Omit<Intent, 'begunAt'> | null;
  intent_at: Date | null;
  erased_at: Date | null;
  certificate: string | null;
  leases: number;
  proof: CopyProof | null;
  unproven: UnprovenFact[];
  hinted_callers: string[];
  copied_by: Copier | null;
  host_only: boolean;
  proof_tried_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

/** All but the lease itself, which is its holder's secret and is compared inside the database only. */
export const rowColumns = `recording_sid, account_sid, call_sid, conference_sid, task_sid, reservation_sid, worker_sid,
  channels, duration_seconds, started_at, source, hints, state, link_state, link_reason, lease_holder, lease_until,
  object, verified_at, segment_generation, failure, attempts, forwarded_at,
  sidecar, source_deleted_at, source_encrypted, source_completed, queue, direction, caller, erasure, intent, intent_at, erased_at, certificate, leases,
  proof, unproven, hinted_callers, copied_by, host_only, proof_tried_at, created_at, updated_at`;

export function toRow(row: StoredRow): RecordingRow {
  return {
    recordingSid: needed(asRecordingSid(row.recording_sid), row),
    accountSid: needed(asAccountSid(row.account_sid), row),
    channels: row.channels === 2 ? 2 : 1,
    startedAt: row.started_at,
    state: row.state,
    linkState: row.link_state,
    segmentGeneration: row.segment_generation,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    source: row.source,
    attempts: row.attempts,
    leases: row.leases,
    unproven: row.unproven,
    hintedCallers: row.hinted_callers,
    sourceEncrypted: row.source_encrypted,
    sourceCompleted: row.source_completed,
    hints: present({
      taskSid: asTaskSid(row.hints.taskSid),
      reservationSid: asReservationSid(row.hints.reservationSid),
    }),
    ...present({
      callSid: asCallSid(row.call_sid),
      conferenceSid: asConferenceSid(row.conference_sid),
      taskSid: asTaskSid(row.task_sid),
      reservationSid: asReservationSid(row.reservation_sid),
      workerSid: asWorkerSid(row.worker_sid),
      durationSeconds: row.duration_seconds ?? undefined,
      linkReason: row.link_reason ?? undefined,
      object: row.object ?? undefined,
      verifiedAt: row.verified_at ?? undefined,
      failure: row.failure ?? undefined,
      forwardedAt: row.forwarded_at ?? undefined,
      leaseHolder: row.lease_holder ?? undefined,
      leaseUntil: row.lease_until ?? undefined,
      sidecar: row.sidecar ?? undefined,
      sourceDeletedAt: row.source_deleted_at ?? undefined,
      queue: row.queue ?? undefined,
      direction: row.direction ?? undefined,
      caller: row.caller ?? undefined,
      erasure: row.erasure ?? undefined,
      intent: row.intent && row.intent_at ? { ...row.intent, begunAt: row.intent_at } : undefined,
      erasedAt: row.erased_at ?? undefined,
      certificate: row.certificate ?? undefined,
      proof: row.proof ?? undefined,
      copiedBy: row.copied_by ?? undefined,
      hostOnly: row.host_only ? (true as const) : undefined,
      proofTriedAt: row.proof_tried_at ?? undefined,
    }),
  };
}

/** The fields that have a value: an optional field is absent, never undefined. */
function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function needed<T>(value: T | undefined, row: StoredRow): T {
  if (value === undefined) {
    throw new CustodyError(
      'catalog_damaged',
      `a row of the catalog holds no valid SID: ${row.recording_sid}`,
    );
  }
  return value;
}
