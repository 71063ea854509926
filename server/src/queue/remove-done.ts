import type { Db } from '../db/db.ts';

/** Rows of one statement, so that no other statement waits long. */
const slice = 2_000;

/** `$1` are the names whose jobs stay. */
export const removeDoneStatement = (schema: string): string =>
  `DELETE FROM ${schema}.job WHERE (name, id) IN (
     SELECT name, id FROM ${schema}.job
     WHERE completed_on IS NOT NULL AND state = 'completed' AND name <> ALL($1::text[]) LIMIT ${slice}
   ) RETURNING id`;

/**
 * Removes completed jobs of earlier releases; this release deletes a job when it is done. Jobs of a schedule stay, since they
 * keep their slots taken.
 * @param scheduled names of scheduled jobs
 * @param continues called before each statement; false ends the removal
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
