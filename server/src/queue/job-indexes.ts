import type { Db } from '../db/db.ts';
import { namedFields } from './forget-jobs.ts';

/** On all jobs, though many name no SID: PostgreSQL ignores its statistics of an expression if the index is partial. */
const sidIndexes = (table: 'job' | 'archive') =>
  Object.fromEntries(
    Object.entries(namedFields).map(([name, field]) => [
      `${table}_by_${name}`,
      { on: table, as: `((data->>'${field}'))` },
    ]),
  );

/**
 * The indexes for statements on jobs, ours and those that pg-boss runs every two minutes. Those of `job` are on the partitioned
 * table, so that every queue has them, also a queue of a later release.
 */
export const jobIndexes: Readonly<Record<string, { on: 'job' | 'archive'; as: string }>> = {
  // The order in which jobs are taken: a fetch reads due jobs from both ends, and none that are due later.
  job_by_start: { on: 'job', as: `(name, start_after, id) WHERE state < 'active'` },
  // pg-boss searches for tries that took too long, for finished jobs, and for jobs that have waited for two weeks.
  job_at_work: { on: 'job', as: `(started_on) WHERE state = 'active'` },
  job_over: { on: 'job', as: '(completed_on) WHERE completed_on IS NOT NULL' },
  job_kept_until: { on: 'job', as: `(keep_until) WHERE state < 'active'` },
  ...sidIndexes('job'),
  ...sidIndexes('archive'),
};

/** Indexes of earlier releases. */
const outdated = ['job_in_turn'];

/**
 * Builds the missing indexes. An index of a partitioned table cannot be built while others write: jobs wait meanwhile, once, at
 * the first start of the release that has a new index.
 */
export async function indexJobs(db: Db, schema: string): Promise<void> {
  for (const [name, { on, as }] of Object.entries(jobIndexes))
    await db.query(`CREATE INDEX IF NOT EXISTS ${name} ON ${schema}.${on} ${as}`);
  for (const name of outdated) await db.query(`DROP INDEX IF EXISTS ${schema}.${name}`);
}

/** Whether {@link indexJobs}, which locks the table, has nothing to do. */
export async function areIndexed(db: Db, schema: string): Promise<boolean> {
  const names = (list: readonly string[]) => list.map((name) => `${schema}.${name}`);
  const [row] = await db.query<{ done: boolean }>(
    `SELECT NOT EXISTS (SELECT FROM unnest($1::text[]) name WHERE to_regclass(name) IS NULL)
        AND NOT EXISTS (SELECT FROM unnest($2::text[]) name WHERE to_regclass(name) IS NOT NULL) AS done`,
    [names(Object.keys(jobIndexes)), names(outdated)],
  );
  return row?.done === true;
}
