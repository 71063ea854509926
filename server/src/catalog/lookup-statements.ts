import type { LookupCatalog } from './lookup-catalog.ts';
import { mostRows, type Statements } from './statements.ts';

/** Single recordings, by what names them. */
export function lookupStatements({ find, rows }: Statements): LookupCatalog {
  return {
    find,
    firstOfReservation: async (sid) =>
      (
        await rows({
          where: 'reservation_sid = $1',
          rest: `ORDER BY state = 'absent', state = 'failed' AND object IS NULL, started_at, recording_sid LIMIT 1`,
          values: [sid],
        })
      )[0],
    ofTask: (sid) =>
      rows({
        where: `task_sid = $1 AND state = 'verified'`,
        rest: 'ORDER BY started_at, recording_sid LIMIT 200',
        values: [sid],
      }),
    inOrder: (after, limit) =>
      rows({
        // The empty string sorts first.
        where: `recording_sid COLLATE "C" > $1`,
        rest: `ORDER BY recording_sid COLLATE "C" LIMIT $2`,
        values: [after ?? '', Math.min(limit, mostRows)],
      }),
  };
}
