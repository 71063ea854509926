import type { Db } from '../db.ts';

const fields = ['recordingSid', 'taskSid', 'conferenceSid'];

/**
 * Removes every job, whatever its state, that names one of these SIDs. Jobs that are done stay in the queue's tables for days,
 * and nothing is left to do for what was erased.
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
    // No host was ever at work on this database.
    if (!found?.there) continue;
    const named = fields.map((field) => `data->>'${field}' = ANY($1::text[])`).join(' OR ');
    await db.query(`DELETE FROM ${table} WHERE ${named}`, [sids]);
  }
}
