import type { Db } from '../db.ts';

export interface QueueHealth {
  /** Jobs whose time has come and that nobody has begun, or whose last try failed and the next is due. */
  due: number;
  /** How long the oldest of them has been due, in seconds; absent where none is. */
  oldestSeconds?: number;
  /** Failed for good, and not yet put down as failed recordings or alarms. */
  dead: number;
}

/** Of the queue as it stands, without setting one up: a queue that nobody ever used has nothing in it. */
export async function queueHealth(db: Db, schema = 'pgboss'): Promise<QueueHealth> {
  const [table] = await db.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    `${schema}.job`,
  ]);
  if (!table?.there) return { due: 0, dead: 0 };
  const [row] = await db.query<{ due: number; dead: number; oldest: number | null }>(
    `SELECT count(*) FILTER (WHERE name NOT LIKE '%.dead')::int AS due,
            count(*) FILTER (WHERE name LIKE '%.dead')::int AS dead,
            extract(epoch FROM now() - min(start_after) FILTER (WHERE name NOT LIKE '%.dead'))::float8 AS oldest
     FROM ${schema}.job WHERE state::text IN ('created', 'retry') AND start_after <= now()`,
  );
  const { due = 0, dead = 0, oldest } = row ?? {};
  return { due, dead, ...(typeof oldest === 'number' && { oldestSeconds: Math.round(oldest) }) };
}
