import { isRetryable, type RecordingSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';

/** A job as it is taken from the queue. */
export interface TakenJob {
  id: string;
  data: object;
  /** 0 at its first try. */
  retryCount: number;
  /** The error of the last try, for a dead letter. */
  output: unknown;
}

/** The statements on the jobs of one queue. */
export interface JobTable {
  /** Takes due jobs, at most so many: half of them the newest, half the oldest; none if the database does not answer. */
  take(most: number): Promise<TakenJob[]>;
  /** Deletes done jobs; the job of a schedule stays as completed, which keeps its slot taken. */
  complete(ids: readonly string[]): Promise<void>;
  /** The recordings for which a job waits, for its first try or another. */
  waiting(sids: readonly RecordingSid[]): Promise<ReadonlySet<RecordingSid>>;
}

const isDue = `name = $1 AND state < 'active' AND start_after < now()`;

/**
 * `$1` is the queue's name, `$2` the number of the newest jobs, `$3` of the oldest. Each is a range of one index, and a CTE of
 * its own, since a subquery of the update might run more than once, each time with other jobs. If fewer jobs are due, both
 * find the same ones, which are updated once. The update uses the rows' places (ctid): to find rows by id, PostgreSQL may read a
 * whole index or table that its statistics show as nearly empty.
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

/** `$1` is the queue's name, `$2` are the SIDs. `OFFSET 0` makes PostgreSQL look each one up instead of reading all jobs. */
export const waitingStatement = (part: string): string =>
  `SELECT DISTINCT sid FROM unnest($2::text[]) AS sid CROSS JOIN LATERAL (
     SELECT FROM ${part} WHERE name = $1 AND state < 'active' AND data->>'recordingSid' = sid OFFSET 0
   ) job`;

/** A slot is taken while it has a job, so the job of a slot stays until a job of a later slot is done. */
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
 * Works on the queue's own partition of pg-boss's table. pg-boss itself uses the whole table, so that PostgreSQL plans each
 * statement over every partition: that takes longer than the work on a few jobs.
 * @param scheduled whether its jobs may belong to a schedule, with slots
 */
export function jobTable(db: Db, part: string, name: string, { scheduled = false } = {}): JobTable {
  let oddIsNewest = true;
  return {
    async take(most) {
      const newest = oddIsNewest ? Math.ceil(most / 2) : Math.floor(most / 2);
      try {
        const jobs = await db.routine<TakenJob>(takeStatement(part), [name, newest, most - newest]);
        // If only one job is taken, it alternates between the newest and the oldest.
        if (jobs.length > 0 && most % 2 === 1) oddIsNewest = !oddIsNewest;
        return jobs;
      } catch (error) {
        // The next poll tries again, and the host's checks report the database.
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
      // Nearly always it is one job, for which PostgreSQL always uses the index.
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

/** Partitions of pg-boss's table by the name of their queue. */
export async function partsOf(db: Db, schema: string): Promise<ReadonlyMap<string, string>> {
  const rows = await db.query<{ name: string; part: string }>(
    `SELECT name, partition_name AS part FROM ${schema}.queue`,
  );
  return new Map(rows.map(({ name, part }) => [name, `${schema}.${part}`]));
}
