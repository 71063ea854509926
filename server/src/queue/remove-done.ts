import type { Db } from '../db/db.ts';

/** Of one statement: no other waits long for it. */
const slice = 2_000;

/** `$1` are the names whose jobs stay. */
export const removeDoneStatement = (schema: string): string =>
  `DELETE FROM ${schema}.job WHERE (name, id) IN (
     SELECT name, id FROM ${schema}.job
     WHERE completed_on IS NOT NULL AND state = 'completed' AND name <> ALL($1::text[]) LIMIT ${slice}
   ) RETURNING id`;

/**
 * Removes what earlier releases left as completed; a job that is done is deleted today. Those of a schedule stay, since they
 * keep their slots taken.
 * @param scheduled names of the jobs that go by the clock
 * @param continues asked before each statement; false ends it
 */
export async function removeDone(
  db: Pick<Db, 'query'>,
  schema: string,
  scheduled: readonly string[],
  continues: () => boolean = () => true,
): Promise<void> {
  while (continues()) {
    const removed = await db.query(removeDoneStatement(schema), [scheduled]);
    if (removed.length < slice) return;
  }
}
