import {
  asAccountSid,
  asCallSid,
  asConferenceSid,
  asRecordingSid,
  asReservationSid,
  asTaskSid,
  asWorkerSid,
  type Sidecar,
} from '@flex-custody/core';
import type { Intent, RecordingRow, Registration } from './recording-row.ts';

/** A row of `recordings` as both engines give it, by its columns. */
export type StoredRow = { recording_sid: string } & Record<string, unknown>;

interface Stored {
  /** Its field in a {@link RecordingRow}; absent: the column is used inside the database only. */
  field?: keyof RecordingRow;
  /** Its SQL type, where a statement has to name it. */
  as?: 'jsonb' | 'text[]';
  /** Makes the field's value of the stored one; without it the field is the stored value. Undefined: the field is absent. */
  read?(value: unknown, row: StoredRow): unknown;
  /** A row without the field is damaged. */
  isNeeded?: true;
  /** SQL of its value once the recording is erased; absent: the value stays. */
  erased?: string;
}

/** Written by `register` from the field of this name. */
interface Registered {
  field: keyof RecordingRow & keyof Registration;
  registered: {
    /** SQL of its value if the recording is registered again; absent: the stored value stays. */
    again?(name: string): string;
    /** Written if the registration lacks the field; null by default. */
    otherwise?: unknown;
  };
}

/** Written into the sidecar as the field of this name. */
interface InSidecar {
  field: keyof RecordingRow & keyof Sidecar;
  /** Whether a catalog rebuild restores it from the sidecar: always, from a signed one, or never. */
  sidecar: 'restored' | 'restored-if-signed' | 'not-restored';
}

export type Column = Stored & (Registered | { registered?: never }) & (InSidecar | { sidecar?: never });

const none = 'NULL';

const keepsFirst = { again: (name: string) => `coalesce(recordings.${name}, excluded.${name})` };
const onceTrue = {
  again: (name: string) => `recordings.${name} OR excluded.${name}`,
  otherwise: false,
};
const guessIsReplaced = `('start' = ANY(recordings.unproven) AND NOT 'start' = ANY(excluded.unproven))`;
const startIsKnown = (then: string) => ({
  again: (name: string) => `CASE WHEN ${guessIsReplaced} THEN ${then} ELSE recordings.${name} END`,
});

/**
 * Every column of `recordings`: its field and how it is read, what `register` writes, what the sidecar holds and a
 * rebuild restores, and what an erasure leaves.
 */
export const columns: Readonly<Record<string, Column>> = {
  recording_sid: {
    field: 'recordingSid',
    read: asRecordingSid,
    isNeeded: true,
    registered: {},
    sidecar: 'restored',
  },
  account_sid: {
    field: 'accountSid',
    read: asAccountSid,
    isNeeded: true,
    registered: {},
    sidecar: 'restored',
  },
  call_sid: { field: 'callSid', read: asCallSid, erased: none, registered: keepsFirst, sidecar: 'restored' },
  conference_sid: {
    field: 'conferenceSid',
    read: asConferenceSid,
    erased: none,
    registered: keepsFirst,
    sidecar: 'restored',
  },
  task_sid: { field: 'taskSid', read: asTaskSid, erased: none, sidecar: 'restored' },
  reservation_sid: { field: 'reservationSid', read: asReservationSid, erased: none, sidecar: 'restored' },
  worker_sid: { field: 'workerSid', read: asWorkerSid, erased: none, sidecar: 'restored' },
  channels: {
    field: 'channels',
    read: (value) => (value === 2 ? 2 : 1),
    registered: {},
    sidecar: 'restored',
  },
  duration_seconds: { field: 'durationSeconds', erased: none, registered: keepsFirst, sidecar: 'restored' },
  started_at: {
    field: 'startedAt',
    erased: 'now()',
    registered: startIsKnown('excluded.started_at'),
    sidecar: 'restored',
  },
  source: { field: 'source', registered: {}, sidecar: 'restored' },
  hints: {
    field: 'hints',
    read: hintsOf,
    erased: `'{}'`,
    as: 'jsonb',
    // The first hint stays: a later caller must not be able to redirect a recording to another task.
    registered: { again: () => 'excluded.hints || recordings.hints' },
  },
  state: { field: 'state' },
  link_state: { field: 'linkState' },
  link_reason: { field: 'linkReason' },
  // The holder's secret: only the database compares it.
  lease: { erased: none },
  lease_holder: { field: 'leaseHolder', erased: none },
  lease_until: { field: 'leaseUntil', erased: none },
  object: { field: 'object', erased: none, as: 'jsonb', sidecar: 'restored' },
  verified_at: { field: 'verifiedAt', erased: none, sidecar: 'not-restored' },
  segment_generation: { field: 'segmentGeneration' },
  failure: { field: 'failure', erased: none },
  attempts: { field: 'attempts' },
  forwarded_at: { field: 'forwardedAt', erased: none },
  created_at: { field: 'createdAt', erased: 'now()' },
  updated_at: { field: 'updatedAt', erased: 'now()' },
  sidecar: { field: 'sidecar', erased: none, as: 'jsonb' },
  source_deleted_at: { field: 'sourceDeletedAt', erased: none, sidecar: 'restored-if-signed' },
  queue: { field: 'queue', erased: none, sidecar: 'restored' },
  direction: { field: 'direction', erased: none, sidecar: 'restored' },
  caller: { field: 'caller', erased: none, sidecar: 'restored' },
  erasure: { field: 'erasure', erased: none },
  erased_at: { field: 'erasedAt', erased: 'now()' },
  // The erasure sets it.
  certificate: { field: 'certificate' },
  source_encrypted: { field: 'sourceEncrypted', erased: 'false', registered: onceTrue },
  leases: { field: 'leases' },
  source_completed: { field: 'sourceCompleted', erased: 'false', registered: onceTrue },
  proof: { field: 'proof', erased: none, sidecar: 'not-restored' },
  unproven: {
    field: 'unproven',
    erased: `'{}'`,
    as: 'text[]',
    registered: { ...startIsKnown(`array_remove(recordings.unproven, 'start')`), otherwise: [] },
    sidecar: 'restored',
  },
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

/** What a statement selects for a {@link RecordingRow}. */
export const rowColumns = [
  ...Object.entries(columns).flatMap(([name, { field }]) => (field ? [name] : [])),
  'intent_at',
].join(', ');

/** SQL assignments that remove from a row all that may not stay once the recording is erased. */
export const erasedColumns = Object.entries(columns)
  .flatMap(([name, { erased }]) => (erased === undefined ? [] : `${name} = ${erased}`))
  .join(', ');

/**
 * `(…) VALUES (…)` of an INSERT into `recordings`, and a function that gives its parameters. The text depends on the
 * names alone, so that the database prepares the statement once.
 */
export function insertion(names: readonly string[]) {
  const places = names.map((name, at) => `$${at + 1}${columns[name]?.as ? `::${columns[name].as}` : ''}`);
  return {
    text: `(${names.join(', ')}) VALUES (${places.join(', ')})`,
    values: (of: Readonly<Record<string, unknown>>) =>
      names.map((name) => {
        const value = of[name] ?? null;
        return value !== null && columns[name]?.as === 'jsonb' ? JSON.stringify(value) : value;
      }),
  };
}
