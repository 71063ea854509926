import type { RecordingState } from '@flex-custody/core';
import type { Catalog } from './catalog.ts';
import { mostRows, type Statements } from './statements.ts';

const isOpen = (fact: string) => `(${fact} IS NULL OR '${fact}' = ANY(unproven))`;

/**
 * Assignments that fill in whose call it is; what is proven stays. `direction`, `caller` and `others` are placeholders of
 * the statement, of which those that are null say nothing.
 */
export const callerAssignments = (
  direction: string,
  caller: string,
  others: string,
  alsoProven?: 'owner',
) => `
  direction = CASE WHEN ${isOpen('direction')} THEN coalesce(${direction}, direction) ELSE direction END,
  caller = CASE WHEN ${isOpen('caller')} THEN coalesce(${caller}, caller) ELSE caller END,
  unproven = ARRAY(SELECT fact FROM unnest(unproven) fact
    WHERE NOT (fact = 'direction' AND ${direction}::text IS NOT NULL OR fact = 'caller' AND ${caller}::text IS NOT NULL)
      ${alsoProven ? `AND fact <> '${alsoProven}'` : ''}),
  hinted_callers = ARRAY(SELECT DISTINCT unnest(hinted_callers || ${others}::text[]))`;

/** Whose call a recording is of, as it comes to be known. */
export function callerStatements({ change, rows }: Statements): Pick<Catalog, 'calledBy' | 'withoutCaller'> {
  return {
    async calledBy(sid, { direction, caller, others }) {
      const known = {
        set: `updated_at = now(), ${callerAssignments('$2', '$3', '$4')}`,
        where: `state <> 'erased'
           AND ($2::text IS NOT NULL AND ${isOpen('direction')} OR $3::text IS NOT NULL AND ${isOpen('caller')}
             OR NOT hinted_callers @> $4::text[])`,
        values: [direction ?? null, caller ?? null, others],
      };
      return (await change<{ state: RecordingState }>(sid, known, 'state'))?.state;
    },
    withoutCaller: ({ conferenceSid, legs, taskSid }) =>
      rows({
        where: `(conference_sid = $1 OR call_sid = ANY($2::text[]) OR task_sid = $3) AND state <> 'erased'
           AND (${isOpen('direction')} OR ${isOpen('caller')})`,
        rest: 'ORDER BY recording_sid LIMIT $4',
        values: [conferenceSid, legs, taskSid ?? null, mostRows],
      }),
  };
}
