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
    ofContacts: async (sids) => {
      const of = (letters: string) => sids.filter((sid) => sid.startsWith(letters));
      return rows({
        where: `recording_sid = ANY($1::text[]) OR reservation_sid = ANY($2::text[]) OR task_sid = ANY($3::text[])
          OR call_sid = ANY($4::text[]) OR conference_sid = ANY($5::text[])`,
        values: [of('RE'), of('WR'), of('WT'), of('CA'), of('CF')],
      });
    },
    inOrder: (after, limit) =>
      rows({
        // The empty string sorts first.
        where: `recording_sid COLLATE "C" > $1`,
        rest: `ORDER BY recording_sid COLLATE "C" LIMIT $2`,
        values: [after ?? '', Math.min(limit, mostRows)],
      }),
  };
}
