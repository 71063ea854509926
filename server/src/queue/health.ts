import type { Db } from '../db/db.ts';

export interface QueueHealth {
  /** Jobs that are due, for their first try or another, and that no worker has begun. */
  due: number;
  /** How long the oldest of them has been due, in seconds; absent if none is due. */
  oldestSeconds?: number;
  /** Jobs that failed for good and are not recorded yet as failed recordings or alarms. */
  dead: number;
}

/**
 * Reads a range of the index for each queue, without jobs that are due later. A job that was sent with an earlier time, for work
 * that had waited, counts from the time it was sent.
 */
export const healthStatement = (schema: string): string =>
  `SELECT coalesce(sum(n) FILTER (WHERE name NOT LIKE '%.dead'), 0)::int AS due,
          coalesce(sum(n) FILTER (WHERE name LIKE '%.dead'), 0)::int AS dead,
          extract(epoch FROM now() - min(since) FILTER (WHERE name NOT LIKE '%.dead'))::float8 AS oldest
   FROM ${schema}.queue CROSS JOIN LATERAL (
     SELECT count(*) AS n, min(greatest(start_after, created_on)) AS since
     FROM ${schema}.job WHERE job.name = queue.name AND state < 'active' AND start_after <= now()
   ) waiting`;

/** Reads the queue without setting it up: a queue that was never used is empty. */
export async function queueHealth(db: Db, schema = 'pgboss'): Promise<QueueHealth> {
  const [table] = await db.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    `${schema}.job`,
  ]);
  if (!table?.there) return { due: 0, dead: 0 };
  const [row] = await db.query<{ due: number; dead: number; oldest: number | null }>(healthStatement(schema));
  const { due = 0, dead = 0, oldest } = row ?? {};
  return { due, dead, ...(typeof oldest === 'number' && { oldestSeconds: Math.round(oldest) }) };
}
