import { isRetryable } from '@flex-custody/core';
import type { Db } from '../db.ts';

/** A job as it is handed out. */
export interface TakenJob {
  id: string;
  data: object;
  /** 0 at its first try. */
  retryCount: number;
  /** Of a dead letter, what its last try said. */
  output: unknown;
}

/** What happens to every job of one queue. */
export interface JobTable {
  /** The next jobs, at most so many; none where the database is away. */
  take(most: number): Promise<TakenJob[]>;
  complete(ids: readonly string[]): Promise<void>;
}

/**
 * `$1` is the queue's name, `$2` how many are wanted. Which are next stands apart, since as a part of the update it might
 * be asked more than once, and each time for other jobs. They are updated where they lie: to find them again by their ids
 * PostgreSQL may read a whole index, or table, that it takes for nearly empty.
 */
export const takeStatement = (part: string): string => `
  WITH next AS MATERIALIZED (
    SELECT ctid FROM ${part}
    WHERE name = $1 AND state < 'active' AND start_after < now()
    ORDER BY priority DESC, created_on, id LIMIT $2
    FOR UPDATE SKIP LOCKED
  )
  UPDATE ${part} SET state = 'active', started_on = now(),
    retry_count = CASE WHEN started_on IS NULL THEN retry_count ELSE retry_count + 1 END
  WHERE ctid = ANY(ARRAY(SELECT ctid FROM next))
  RETURNING id, data, retry_count AS "retryCount", output`;

/**
 * On the queue's own part of pg-boss's table. pg-boss itself goes by way of the whole, whose every part PostgreSQL looks
 * at, and by a plan that it makes anew each time: both take longer than the work on a few jobs.
 */
export function jobTable(db: Db, part: string, name: string): JobTable {
  return {
    async take(most) {
      try {
        return await db.routine<TakenJob>(takeStatement(part), [name, most]);
      } catch (error) {
        // The next poll asks again, and whoever looks after the host hears of the database itself.
        if (isRetryable(error)) return [];
        throw error;
      }
    },
    async complete(ids) {
      const [only, ...others] = ids;
      // Nearly always it is one alone, which is sure to be looked up.
      const [which, value] = others.length === 0 ? ['$2::uuid', only] : ['ANY($2::uuid[])', ids];
      await db.routine(
        `UPDATE ${part} SET state = 'completed', completed_on = now(), output = NULL
         WHERE name = $1 AND id = ${which} AND state = 'active'`,
        [name, value],
      );
    },
  };
}

/** Parts of pg-boss's table by the name of their queue. */
export async function partsOf(db: Db, schema: string): Promise<ReadonlyMap<string, string>> {
  const rows = await db.query<{ name: string; part: string }>(
    `SELECT name, partition_name AS part FROM ${schema}.queue`,
  );
  return new Map(rows.map(({ name, part }) => [name, `${schema}.${part}`]));
}
