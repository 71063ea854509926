import type { Db } from '../db/db.ts';

/** Fields of a job's data that name a recording or its call; each has an index of its own, in `job-indexes.ts`. */
export const namedFields = {
  recording: 'recordingSid',
  task: 'taskSid',
  conference: 'conferenceSid',
} as const;

/** `$1` are the SIDs. */
export const forgetStatement = (table: string): string =>
  `DELETE FROM ${table} WHERE ${Object.values(namedFields)
    .map((field) => `data->>'${field}' = ANY($1::text[])`)
    .join(' OR ')}`;

/**
 * Removes every job, whatever its state, that names one of these SIDs: an erased recording needs no more work, and failed jobs
 * would keep its SID in the queue's tables for days.
 */
export async function forgetJobs(
  db: Pick<Db, 'query'>,
  sids: readonly string[],
  schema = 'pgboss',
): Promise<void> {
  if (sids.length === 0) return;
  for (const table of [`${schema}.job`, `${schema}.archive`]) {
    const [found] = await db.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
      table,
    ]);
    // No host has ever run jobs on this database.
    if (!found?.there) continue;
    await db.query(forgetStatement(table), [sids]);
  }
}
