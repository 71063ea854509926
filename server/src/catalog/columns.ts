import {
  asAccountSid,
  asCallSid,
  asConferenceSid,
  asRecordingSid,
  asReservationSid,
  asTaskSid,
  asWorkerSid,
} from '@flex-custody/core';
import type { Intent, RecordingRow } from './recording-row.ts';

/** A row of `recordings` as both engines give it, by its columns. */
export type StoredRow = { recording_sid: string } & Record<string, unknown>;

export interface Column {
  /** Its field in a {@link RecordingRow}; absent: the column is used inside the database only. */
  field?: keyof RecordingRow;
  /** The field's value; as it is stored, if not given. Undefined: the field is absent. */
  read?(value: unknown, row: StoredRow): unknown;
  /** A row without the field is damaged. */
  isNeeded?: true;
  /** SQL of its value once the recording is erased; absent: it stays as it is. */
  erased?: string;
}

const text = (as: (value: unknown) => unknown) => (value: unknown) => as(value);
const none = 'NULL';

/** Every column of `recordings`: what is selected, what it is read as, and what an erasure leaves of it. */
export const columns: Readonly<Record<string, Column>> = {
  recording_sid: { field: 'recordingSid', read: text(asRecordingSid), isNeeded: true },
  account_sid: { field: 'accountSid', read: text(asAccountSid), isNeeded: true },
  call_sid: { field: 'callSid', read: text(asCallSid), erased: none },
  conference_sid: { field: 'conferenceSid', read: text(asConferenceSid), erased: none },
  task_sid: { field: 'taskSid', read: text(asTaskSid), erased: none },
  reservation_sid: { field: 'reservationSid', read: text(asReservationSid), erased: none },
  worker_sid: { field: 'workerSid', read: text(asWorkerSid), erased: none },
  channels: { field: 'channels', read: (value) => (value === 2 ? 2 : 1) },
  duration_seconds: { field: 'durationSeconds', erased: none },
  started_at: { field: 'startedAt', erased: 'now()' },
  source: { field: 'source' },
  hints: { field: 'hints', read: hintsOf, erased: `'{}'` },
  state: { field: 'state' },
  link_state: { field: 'linkState' },
  link_reason: { field: 'linkReason' },
  // The holder's secret: it is compared inside the database only.
  lease: { erased: none },
  lease_holder: { field: 'leaseHolder', erased: none },
  lease_until: { field: 'leaseUntil', erased: none },
  object: { field: 'object', erased: none },
  verified_at: { field: 'verifiedAt', erased: none },
  segment_generation: { field: 'segmentGeneration' },
  failure: { field: 'failure', erased: none },
  attempts: { field: 'attempts' },
  forwarded_at: { field: 'forwardedAt', erased: none },
  created_at: { field: 'createdAt', erased: 'now()' },
  updated_at: { field: 'updatedAt', erased: 'now()' },
  sidecar: { field: 'sidecar', erased: none },
  source_deleted_at: { field: 'sourceDeletedAt', erased: none },
  queue: { field: 'queue', erased: none },
  direction: { field: 'direction', erased: none },
  caller: { field: 'caller', erased: none },
  erasure: { field: 'erasure', erased: none },
  erased_at: { field: 'erasedAt', erased: 'now()' },
  // The erasure names its certificate itself.
  certificate: { field: 'certificate' },
  source_encrypted: { field: 'sourceEncrypted', erased: 'false' },
  leases: { field: 'leases' },
  source_completed: { field: 'sourceCompleted', erased: 'false' },
  proof: { field: 'proof', erased: none },
  unproven: { field: 'unproven', erased: `'{}'` },
  hinted_callers: { field: 'hintedCallers', erased: `'{}'` },
  copied_by: { field: 'copiedBy', erased: none },
  host_only: { field: 'hostOnly', read: (value) => value === true || undefined, erased: 'false' },
  proof_tried_at: { field: 'proofTriedAt', erased: none },
  intent: { field: 'intent', read: intentOf, erased: none },
  // Read with the intent.
  intent_at: { erased: none },
  intent_by: { erased: none },
  intent_until: { erased: none },
  erase_after: { erased: none },
  source_after: { erased: none },
};

function hintsOf(value: unknown): RecordingRow['hints'] {
  const { taskSid, reservationSid } = value as Record<string, unknown>;
  const [task, reservation] = [asTaskSid(taskSid), asReservationSid(reservationSid)];
  return { ...(task && { taskSid: task }), ...(reservation && { reservationSid: reservation }) };
}

function intentOf(value: unknown, row: StoredRow): Intent | undefined {
  const begunAt = row['intent_at'];
  return value && begunAt instanceof Date ? { ...(value as Omit<Intent, 'begunAt'>), begunAt } : undefined;
}

const fields = Object.entries(columns).filter(([, { field }]) => field !== undefined);

/** What a statement selects for {@link toRow}. */
export const rowColumns = [...fields.map(([name]) => name), 'intent_at'].join(', ');

/** SQL assignments that leave of a recording what may stay once it is erased. */
export const erasedColumns = Object.entries(columns)
  .flatMap(([name, { erased }]) => (erased === undefined ? [] : `${name} = ${erased}`))
  .join(', ');

/** The named columns of a row as its fields: an optional field is absent, never undefined. */
export const readFields = (row: StoredRow): { field: string; value: unknown; isNeeded: boolean }[] =>
  fields.map(([name, { field, read, isNeeded }]) => {
    const stored = row[name];
    const value = stored === null || stored === undefined ? undefined : read ? read(stored, row) : stored;
    return { field: String(field), value, isNeeded: isNeeded === true };
  });
