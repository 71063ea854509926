import type { Db } from '../db/db.ts';

export interface QueueHealth {
  /** Jobs whose time has come and that no worker has begun, or whose last try failed and the next is due. */
  due: number;
  /** How long the oldest of them has been due, in seconds; absent where none is. */
  oldestSeconds?: number;
  /** Failed for good, and not yet put down as failed recordings or alarms. */
  dead: number;
}

/**
 * Queue by queue, each a range of its index: jobs that are due later are not read. What was sent with an earlier time, for work
 * that had waited, counts from when it was sent.
 */
export const healthStatement = (schema: string): string =>
  `SELECT coalesce(sum(n) FILTER (WHERE name NOT LIKE '%.dead'), 0)::int AS due,
          coalesce(sum(n) FILTER (WHERE name LIKE '%.dead'), 0)::int AS dead,
          extract(epoch FROM now() - min(since) FILTER (WHERE name NOT LIKE '%.dead'))::float8 AS oldest
   FROM ${schema}.queue CROSS JOIN LATERAL (
     SELECT count(*) AS n, min(greatest(start_after, created_on)) AS since
     FROM ${schema}.job WHERE job.name = queue.name AND state < 'active' AND start_after <= now()
   ) waiting`;

/** Of the queue as it is, without setting one up: a queue that was never used has nothing in it. */
export async function queueHealth(db: Db, schema = 'pgboss'): Promise<QueueHealth> {
  const [table] = await db.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    `${schema}.job`,
  ]);
  if (!table?.there) return { due: 0, dead: 0 };
  const [row] = await db.query<{ due: number; dead: number; oldest: number | null }>(healthStatement(schema));
  const { due = 0, dead = 0, oldest } = row ?? {};
  return { due, dead, ...(typeof oldest === 'number' && { oldestSeconds: Math.round(oldest) }) };
}
