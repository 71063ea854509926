import {
  type AccountSid,
  CustodyError,
  type RecordingEvent,
  type RecordingSid,
  type RecordingState,
  type SealedObject,
} from '@flex-custody/core';
import { coalesce } from '../db/coalesce.ts';
import type { Db } from '../db/db.ts';
import { rowColumns, type StoredRow } from './columns.ts';
import { moveOf } from './moves.ts';
import type { RecordingRow } from './recording-row.ts';
import { toRow } from './rows.ts';

/** Most rows in one answer. */
export const mostRows = 1_000;
/** Rows that `changeAll` of {@link createStatements} reads in one statement. */
const slice = 1_000;
export const noLease = 'lease = NULL, lease_holder = NULL, lease_until = NULL';
/** A proof of one object is no proof of the next. */
export const noProof = 'proof = NULL, proof_tried_at = NULL';

/** The values of a statement that identify an object. */
export const identity = (object: SealedObject) => [object.key, object.etag, object.versionId ?? null];

export const foreign = (sid: RecordingSid) =>
  new CustodyError('foreign_account', `${sid} belongs to another account`);

/**
 * A condition of a row that is found by its SID. From old statistics PostgreSQL may take a state for rare, and read every
 * row of that state; inside `IS TRUE` it uses no index.
 */
const ofThatRow = (condition: string) => `(${condition}) IS TRUE`;

interface Change {
  set: string;
  where?: string;
  values?: readonly unknown[];
}

/** Selects rows; `values` are `$1` and so on. */
interface Choice {
  where: string;
  /** What follows the condition: order, grouping, limit. */
  rest?: string;
  values?: readonly unknown[];
}

/** The kinds of statements that the catalog uses. */
export type Statements = ReturnType<typeof createStatements>;

/** Each statement filters by account: it neither reads nor changes rows of another account. */
export function createStatements(db: Db, accountSid: AccountSid) {
  /** The condition that a row belongs to our account, and the values of the whole statement; the account is the last value. */
  const ours = (values: readonly unknown[]) => ({
    own: `account_sid = $${values.length + 1}`,
    all: [...values, accountSid],
  });

  const select = async <T>(columns: string, { where, rest = '', values = [] }: Choice): Promise<T[]> => {
    const { own, all } = ours(values);
    return db.query<T>(`SELECT ${columns} FROM recordings WHERE ${own} AND (${where}) ${rest}`, all);
  };
  const rows = async (choice: Choice): Promise<RecordingRow[]> =>
    (await select<StoredRow>(rowColumns, choice)).map(toRow);

  /** Simultaneous lookups share one statement: jobs of a backlog begin together. */
  const findAll = coalesce(
    async (sids: RecordingSid[]) =>
      new Map(
        (
          await db.routine<StoredRow>(
            `SELECT ${rowColumns} FROM recordings WHERE recording_sid = ANY($1::text[]) AND account_sid = $2`,
            [sids, accountSid],
          )
        ).map((row) => [row.recording_sid, toRow(row)]),
      ),
  );
  const find = async (sid: RecordingSid): Promise<RecordingRow | undefined> => (await findAll(sid)).get(sid);

  /** `$1` is the SID, `$2` the states from which the move starts, `$3` its new state; the further ones are the caller's. */
  const moved = <T>(event: RecordingEvent, sid: RecordingSid, change: Change, columns: string) => {
    const { from, to } = moveOf(event);
    const { own, all } = ours([sid, from, to, ...(change.values ?? [])]);
    return db.query<T>(
      `UPDATE recordings SET state = $3, updated_at = now(), ${change.set}
       WHERE recording_sid = $1 AND ${own} AND ${ofThatRow(`state = ANY($2::text[]) ${change.where ? `AND ${change.where}` : ''}`)}
       RETURNING ${columns}`,
      all,
    );
  };
  const move = async (event: RecordingEvent, sid: RecordingSid, change: Change): Promise<boolean> =>
    (await moved(event, sid, change, 'recording_sid')).length > 0;

  /** `$1` is the SID, the further ones are the caller's. Returns `columns` of the changed row. */
  const change = async <T>(
    sid: RecordingSid,
    { set: assignments, where = 'true', values = [] }: Change,
    columns: string,
  ): Promise<T | undefined> => {
    const { own, all } = ours([sid, ...values]);
    const [changed] = await db.query<T>(
      `UPDATE recordings SET ${assignments} WHERE recording_sid = $1 AND ${own} AND ${ofThatRow(where)} RETURNING ${columns}`,
      all,
    );
    return changed;
  };

  /** The state of the changed recording; undefined if nothing changed. */
  const set = async (
    sid: RecordingSid,
    assignments: string,
    values: readonly unknown[] = [],
    where = 'true',
  ) => {
    const touched = { set: `updated_at = now(), ${assignments}`, values, where };
    return (await change<{ state: RecordingState }>(sid, touched, 'state'))?.state;
  };

  const isSet = async (...change: Parameters<typeof set>): Promise<boolean> =>
    (await set(...change)) !== undefined;

  /**
   * Changes all rows that meet `where`, in slices of 1000 rows, so that locks are short. `$1` is the caller's value.
   * @returns how many rows changed
   */
  const changeAll = async (assignments: string, where: string, value: unknown): Promise<number> => {
    let changed = 0;
    for (let after: string | undefined = ''; after !== undefined; ) {
      const [page]: { n: number; last: string | null }[] = await db.query(
        `WITH page AS (
           SELECT recording_sid AS sid FROM recordings WHERE account_sid = $2 AND recording_sid COLLATE "C" > $3
           ORDER BY recording_sid COLLATE "C" LIMIT ${slice}
         ), done AS (
           UPDATE recordings SET ${assignments}
           WHERE recording_sid IN (SELECT sid FROM page) AND ${where} RETURNING 1
         )
         SELECT (SELECT count(*)::int FROM done) AS n, (SELECT max(sid COLLATE "C") FROM page) AS last`,
        [value, accountSid, after],
      );
      changed += page?.n ?? 0;
      after = page?.last ?? undefined;
    }
    return changed;
  };

  return { accountSid, change, changeAll, db, find, isSet, move, moved, rows, select, set };
}
