import type { RecordingState } from '@flex-custody/core';
import type { Catalog } from './catalog.ts';
import { mostRows, type Statements } from './statements.ts';

const isOpen = (fact: string) => `(${fact} IS NULL OR '${fact}' = ANY(unproven))`;

/** Whose call a recording is of, as it comes to be known. */
export function callerStatements({ db, rows }: Statements): Pick<Catalog, 'calledBy' | 'withoutCaller'> {
  return {
    async calledBy(sid, { direction, caller, others }) {
      const [changed] = await db.query<{ state: RecordingState }>(
        `UPDATE recordings SET updated_at = now(),
           direction = CASE WHEN ${isOpen('direction')} THEN coalesce($2, direction) ELSE direction END,
           caller = CASE WHEN ${isOpen('caller')} THEN coalesce($3, caller) ELSE caller END,
           unproven = ARRAY(SELECT fact FROM unnest(unproven) fact
             WHERE NOT (fact = 'direction' AND $2::text IS NOT NULL OR fact = 'caller' AND $3::text IS NOT NULL)),
           hinted_callers = ARRAY(SELECT DISTINCT unnest(hinted_callers || $4::text[]))
         WHERE recording_sid = $1 AND state <> 'erased'
           AND ($2::text IS NOT NULL AND ${isOpen('direction')} OR $3::text IS NOT NULL AND ${isOpen('caller')}
             OR NOT hinted_callers @> $4::text[])
         RETURNING state`,
        [sid, direction ?? null, caller ?? null, others],
      );
      return changed?.state;
    },
    withoutCaller: ({ conferenceSid, legs, taskSid }) =>
      rows(
        `WHERE (conference_sid = $1 OR call_sid = ANY($2::text[]) OR task_sid = $3) AND state <> 'erased'
           AND (${isOpen('direction')} OR ${isOpen('caller')}) ORDER BY recording_sid LIMIT $4`,
        [conferenceSid, legs, taskSid ?? null, mostRows],
      ),
  };
}
