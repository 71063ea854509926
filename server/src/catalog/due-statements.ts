import type { CallDirection } from '@flex-custody/core';
import { inDirection } from '../db/indexes.ts';
import { rowColumns, type StoredRow } from './columns.ts';
import type { IntakeCatalog } from './intake-catalog.ts';
import type { KeepingCatalog } from './keeping-catalog.ts';
import type { Kept } from './recording-row.ts';
import { toRow } from './rows.ts';
import { mostRows, type Statements } from './statements.ts';
import { talliesOf } from './tallies.ts';

/** Most rows that one statement changes, so that its locks are short. */
const slice = 500;
const column: Readonly<Record<Kept, string>> = { recording: 'erase_after', source: 'source_after' };

/** Recordings whose retention period is over, originals whose deletion is due, and those of both that are set aside. */
export function dueStatements({ accountSid, change, db, rows }: Statements) {
  return {
    async kindsKept() {
      return (await talliesOf(db, accountSid, 'keeping')).map(({ what: [queue, direction] }) => ({
        ...(queue !== '' && { queue }),
        ...(direction !== '' && { direction: direction as CallDirection }),
      }));
    },
    async expired(of, limit) {
      // Each kind is one range of an index. The statement reads no recording that is younger or set aside.
      const found = await db.query<StoredRow>(
        `SELECT found.* FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[])
           WITH ORDINALITY AS kind (queue, direction, before, since, after, turn)
         CROSS JOIN LATERAL (
           SELECT ${rowColumns} FROM recordings
           WHERE account_sid = $6 AND erased_at IS NULL AND intent IS NULL AND erase_after IS NULL
             AND coalesce(recordings.queue, '') = kind.queue AND (${inDirection}) = kind.direction
             AND started_at <= kind.before AND (started_at, recording_sid) > (coalesce(kind.since, '-infinity'), coalesce(kind.after, ''))
           ORDER BY started_at, recording_sid LIMIT $7
         ) found
         ORDER BY kind.turn, found.started_at, found.recording_sid LIMIT $7`,
        [
          of.map(({ queue }) => queue ?? ''),
          of.map(({ direction }) => direction ?? ''),
          of.map(({ before }) => before),
          of.map(({ after }) => after?.startedAt ?? null),
          of.map(({ after }) => after?.recordingSid ?? null),
          accountSid,
          Math.min(limit, mostRows),
        ],
      );
      return found.map(toRow);
    },
    async setAside(sid, what, seconds) {
      const until = `${column[what]} = now() + $2::double precision * interval '1 second'`;
      await change(sid, { set: until, values: [seconds] }, 'recording_sid');
    },
    async lookAgain(what, { all = false } = {}) {
      const name = column[what];
      for (;;) {
        const again = await db.query(
          `UPDATE recordings SET ${name} = NULL WHERE recording_sid IN (
             SELECT recording_sid FROM recordings
             WHERE ${name} IS NOT NULL AND ${all ? '' : `${name} < now() AND`} account_sid = $1 LIMIT ${slice}
           ) RETURNING recording_sid`,
          [accountSid],
        );
        if (again.length < slice) return;
      }
    },
    sourcesDue: (hours, limit) =>
      rows({
        where: `state = 'verified' AND source_deleted_at IS NULL AND sidecar IS NOT NULL AND intent IS NULL
           AND source_after IS NULL AND verified_at < now() - $1::double precision * interval '1 hour'`,
        rest: 'ORDER BY verified_at, recording_sid LIMIT $2',
        values: [hours, Math.min(limit, mostRows)],
      }),
    async sourceDeleted(sid) {
      const gone = 'source_deleted_at = now(), source_after = NULL, updated_at = now()';
      await change(sid, { set: gone, where: 'source_deleted_at IS NULL' }, 'recording_sid');
    },
  } satisfies Partial<IntakeCatalog & KeepingCatalog>;
}
