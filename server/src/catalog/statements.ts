import type { RecordingEvent, RecordingSid, SealedObject } from '@flex-custody/core';
import type { Db } from '../db.ts';
import type { RecordingRow } from './catalog.ts';
import { moveOf } from './moves.ts';
import { rowColumns, type StoredRow, toRow } from './rows.ts';

/** Of one answer. */
export const mostRows = 1_000;
export const noLease = 'lease = NULL, lease_holder = NULL, lease_until = NULL';

/** What tells one object from another, as values of a statement. */
export const identity = (object: SealedObject) => [object.key, object.etag, object.versionId ?? null];

/** The three kinds of statement that the catalog is made of. */
export type Statements = ReturnType<typeof createStatements>;

export function createStatements(db: Db) {
  const rows = async (sql: string, values: readonly unknown[]): Promise<RecordingRow[]> =>
    (await db.query<StoredRow>(`SELECT ${rowColumns} FROM recordings ${sql}`, values)).map(toRow);

  /** `$1` is the SID, `$2` the states the move starts from, `$3` where it leads; further ones are the caller's. */
  const move = async (
    event: RecordingEvent,
    sid: RecordingSid,
    change: { set: string; where?: string; values?: readonly unknown[] },
  ): Promise<boolean> => {
    const { from, to } = moveOf(event);
    const moved = await db.query(
      `UPDATE recordings SET state = $3, updated_at = now(), ${change.set}
       WHERE recording_sid = $1 AND state = ANY($2::text[]) ${change.where ? `AND ${change.where}` : ''}
       RETURNING recording_sid`,
      [sid, from, to, ...(change.values ?? [])],
    );
    return moved.length > 0;
  };

  const set = async (
    sid: RecordingSid,
    assignments: string,
    values: readonly unknown[] = [],
    where = 'true',
  ) => {
    const changed = await db.query(
      `UPDATE recordings SET updated_at = now(), ${assignments} WHERE recording_sid = $1 AND ${where} RETURNING recording_sid`,
      [sid, ...values],
    );
    return changed.length > 0;
  };

  return { db, move, rows, set };
}
