import { isRetryable, type RecordingSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';

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
  /** Jobs that are due, at most so many: half of them the newest, half the oldest; none where the database is away. */
  take(most: number): Promise<TakenJob[]>;
  /** They are done, and nothing of them stays; of a schedule's job what keeps its slot taken. */
  complete(ids: readonly string[]): Promise<void>;
  /** Which of these recordings have a job that waits, for its first try or another. */
  waiting(sids: readonly RecordingSid[]): Promise<ReadonlySet<RecordingSid>>;
}

const isDue = `name = $1 AND state < 'active' AND start_after < now()`;

/**
 * `$1` is the queue's name, `$2` how many of the newest are wanted, `$3` of the oldest. Each is a range of one index, and a step
 * of its own, since as a part of the update it might be asked more than once, and each time for other jobs. Where fewer are
 * due, both find the same jobs, which are updated once: all that are due. They are updated by their place in the table: to
 * find them again by their ids PostgreSQL may read a whole index, or table, that it takes for nearly empty.
 */
export const takeStatement = (part: string): string => `
  WITH newest AS MATERIALIZED (
    SELECT ctid FROM ${part} WHERE ${isDue}
    ORDER BY start_after DESC, id DESC LIMIT $2
    FOR UPDATE SKIP LOCKED
  ), oldest AS MATERIALIZED (
    SELECT ctid FROM ${part} WHERE ${isDue}
    ORDER BY start_after, id LIMIT $3
    FOR UPDATE SKIP LOCKED
  )
  UPDATE ${part} SET state = 'active', started_on = now(),
    retry_count = CASE WHEN started_on IS NULL THEN retry_count ELSE retry_count + 1 END
  WHERE ctid = ANY(ARRAY(SELECT ctid FROM newest UNION ALL SELECT ctid FROM oldest))
  RETURNING id, data, retry_count AS "retryCount", output`;

/** `$1` is the queue's name, `$2` are the SIDs: each is looked up, whatever PostgreSQL takes a look at all jobs to cost. */
export const waitingStatement = (part: string): string =>
  `SELECT DISTINCT sid FROM unnest($2::text[]) AS sid CROSS JOIN LATERAL (
     SELECT FROM ${part} WHERE name = $1 AND state < 'active' AND data->>'recordingSid' = sid OFFSET 0
   ) job`;

/** A slot is taken while a job of it is there: of each slot the job stays until one of a later slot is done. */
const completeInSlot = (part: string): string =>
  `WITH done AS (
     UPDATE ${part} SET state = 'completed', completed_on = now(), output = NULL
     WHERE name = $1 AND id = ANY($2::uuid[]) AND state = 'active' AND singleton_on IS NOT NULL
     RETURNING singleton_on
   )
   DELETE FROM ${part} WHERE name = $1 AND (
     id = ANY($2::uuid[]) AND state = 'active' AND singleton_on IS NULL
     OR state = 'completed' AND singleton_on < (SELECT max(singleton_on) FROM done))`;

/**
 * On the queue's own part of pg-boss's table. pg-boss itself asks the whole, whose every part PostgreSQL looks at, and by a
 * plan that is made for each statement: both take longer than the work on a few jobs.
 * @param scheduled its jobs may be of a schedule, with slots
 */
export function jobTable(db: Db, part: string, name: string, { scheduled = false } = {}): JobTable {
  let oddIsNewest = true;
  return {
    async take(most) {
      const newest = oddIsNewest ? Math.ceil(most / 2) : Math.floor(most / 2);
      try {
        const jobs = await db.routine<TakenJob>(takeStatement(part), [name, newest, most - newest]);
        // With one place alone it is this that lets both have their turn.
        if (jobs.length > 0 && most % 2 === 1) oddIsNewest = !oddIsNewest;
        return jobs;
      } catch (error) {
        // The next poll asks again, and the host's own checks report the database itself.
        if (isRetryable(error)) return [];
        throw error;
      }
    },
    async complete(ids) {
      if (scheduled) {
        await db.routine(completeInSlot(part), [name, ids]);
        return;
      }
      const [only, ...others] = ids;
      // Nearly always it is one alone, which is sure to be looked up.
      const [which, value] = others.length === 0 ? ['$2::uuid', only] : ['ANY($2::uuid[])', ids];
      await db.routine(`DELETE FROM ${part} WHERE name = $1 AND id = ${which} AND state = 'active'`, [
        name,
        value,
      ]);
    },
    async waiting(sids) {
      if (sids.length === 0) return new Set();
      const rows = await db.query<{ sid: RecordingSid }>(waitingStatement(part), [name, sids]);
      return new Set(rows.map(({ sid }) => sid));
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
