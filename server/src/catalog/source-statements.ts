import { asRecordingSid } from '@flex-custody/core';
import type { Catalog, SourceMark } from './catalog.ts';
import { mostRows, type Statements } from './statements.ts';

/** In milliseconds, as dates are here: by the database's own microseconds a mark would come before its own row. */
const verifiedMs = `date_trunc('milliseconds', verified_at)`;
const name = 'sources';

/** Originals at Twilio, from the time they are due until they are gone. */
export function sourceStatements({
  accountSid,
  db,
  rows,
  set,
}: Statements): Pick<Catalog, 'sourcesDue' | 'sourcesMark' | 'markSources' | 'sourceDeleted'> {
  return {
    sourcesDue: (hours, limit, after) =>
      rows({
        where: `state = 'verified' AND source_deleted_at IS NULL AND sidecar IS NOT NULL AND intent IS NULL
           AND verified_at < now() - $1::double precision * interval '1 hour'
           AND ($3::timestamptz IS NULL OR (${verifiedMs}, recording_sid) > ($3::timestamptz, $4::text))`,
        rest: `ORDER BY ${verifiedMs}, recording_sid LIMIT $2`,
        values: [hours, Math.min(limit, mostRows), after?.verifiedAt ?? null, after?.recordingSid ?? null],
      }),
    async sourcesMark() {
      const [row] = await db.query<{ mark: Record<keyof SourceMark, unknown> }>(
        'SELECT mark FROM marks WHERE account_sid = $1 AND name = $2',
        [accountSid, name],
      );
      const recordingSid = asRecordingSid(row?.mark.recordingSid);
      const verifiedAt = new Date(String(row?.mark.verifiedAt));
      return recordingSid && !Number.isNaN(verifiedAt.getTime()) ? { recordingSid, verifiedAt } : undefined;
    },
    async markSources(at) {
      if (!at) {
        await db.query('DELETE FROM marks WHERE account_sid = $1 AND name = $2', [accountSid, name]);
        return;
      }
      await db.query(
        `INSERT INTO marks (account_sid, name, mark) VALUES ($1, $2, $3::jsonb)
         ON CONFLICT (account_sid, name) DO UPDATE SET mark = excluded.mark`,
        [accountSid, name, JSON.stringify(at)],
      );
    },
    async sourceDeleted(sid) {
      await set(sid, 'source_deleted_at = now()', [], 'source_deleted_at IS NULL');
    },
  };
}
