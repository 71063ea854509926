import type { RecordingEvent, RecordingSid, RecordingState, SealedObject } from '@flex-custody/core';
import { together } from '../db/together.ts';
import type { Db } from '../db.ts';
import type { RecordingRow } from './catalog.ts';
import { moveOf } from './moves.ts';
import { rowColumns, type StoredRow, toRow } from './rows.ts';

/** Of one answer. */
export const mostRows = 1_000;
export const noLease = 'lease = NULL, lease_holder = NULL, lease_until = NULL';
/** Whatever was known of an object says nothing of the next. */
export const noProof = 'proof = NULL, proof_tried_at = NULL';

/** What tells one object from another, as values of a statement. */
export const identity = (object: SealedObject) => [object.key, object.etag, object.versionId ?? null];

interface Change {
  set: string;
  where?: string;
  values?: readonly unknown[];
}

/** The kinds of statement that the catalog is made of. */
export type Statements = ReturnType<typeof createStatements>;

export function createStatements(db: Db) {
  const rows = async (sql: string, values: readonly unknown[]): Promise<RecordingRow[]> =>
    (await db.query<StoredRow>(`SELECT ${rowColumns} FROM recordings ${sql}`, values)).map(toRow);

  /** Of those that are asked for at once: jobs out of a backlog begin together. */
  const findAll = together(
    async (sids: RecordingSid[]) =>
      new Map(
        (
          await db.routine<StoredRow>(
            `SELECT ${rowColumns} FROM recordings WHERE recording_sid = ANY($1::text[])`,
            [sids],
          )
        ).map((row) => [row.recording_sid, toRow(row)]),
      ),
  );
  const find = async (sid: RecordingSid): Promise<RecordingRow | undefined> => (await findAll(sid)).get(sid);

  /** `$1` is the SID, `$2` the states the move starts from, `$3` where it leads; further ones are the caller's. */
  const moved = <T>(event: RecordingEvent, sid: RecordingSid, change: Change, columns: string) => {
    const { from, to } = moveOf(event);
    return db.query<T>(
      `UPDATE recordings SET state = $3, updated_at = now(), ${change.set}
       WHERE recording_sid = $1 AND state = ANY($2::text[]) ${change.where ? `AND ${change.where}` : ''}
       RETURNING ${columns}`,
      [sid, from, to, ...(change.values ?? [])],
    );
  };
  const move = async (event: RecordingEvent, sid: RecordingSid, change: Change): Promise<boolean> =>
    (await moved(event, sid, change, 'recording_sid')).length > 0;

  /** The state of what was changed; undefined where nothing was. */
  const set = async (
    sid: RecordingSid,
    assignments: string,
    values: readonly unknown[] = [],
    where = 'true',
  ) => {
    const [changed] = await db.query<{ state: RecordingState }>(
      `UPDATE recordings SET updated_at = now(), ${assignments} WHERE recording_sid = $1 AND ${where} RETURNING state`,
      [sid, ...values],
    );
    return changed?.state;
  };

  const isSet = async (...change: Parameters<typeof set>): Promise<boolean> =>
    (await set(...change)) !== undefined;

  return { db, find, isSet, move, moved, rows, set };
}
