import type { Db } from '../db/db.ts';
import { namedFields } from './forget-jobs.ts';

/** Of all jobs, though many name none: PostgreSQL ignores what it knows of values where an index is of some rows alone. */
const sidIndexes = (table: 'job' | 'archive') =>
  Object.fromEntries(
    Object.entries(namedFields).map(([name, field]) => [
      `${table}_by_${name}`,
      { on: table, as: `((data->>'${field}'))` },
    ]),
  );

/**
 * What the statements on jobs need, ours and those that pg-boss runs every two minutes. Those of `job` are on the table that
 * all queues are parts of, so that every queue has them, a queue of a later release included.
 */
export const jobIndexes: Readonly<Record<string, { on: 'job' | 'archive'; as: string }>> = {
  // The order in which jobs are taken: a fetch reads what is due from both ends, and what is due later not at all.
  job_by_start: { on: 'job', as: `(name, start_after, id) WHERE state < 'active'` },
  // pg-boss looks for tries that have taken too long, for what is over, and for what has waited for two weeks.
  job_at_work: { on: 'job', as: `(started_on) WHERE state = 'active'` },
  job_over: { on: 'job', as: '(completed_on) WHERE completed_on IS NOT NULL' },
  job_kept_until: { on: 'job', as: `(keep_until) WHERE state < 'active'` },
  ...sidIndexes('job'),
  ...sidIndexes('archive'),
};

/** Of earlier releases. */
const outdated = ['job_in_turn'];

/**
 * Builds those that are missing. An index of a table with parts cannot be built while others write: jobs wait meanwhile, once,
 * at the first start of the release that brings it.
 */
export async function indexJobs(db: Db, schema: string): Promise<void> {
  for (const [name, { on, as }] of Object.entries(jobIndexes))
    await db.query(`CREATE INDEX IF NOT EXISTS ${name} ON ${schema}.${on} ${as}`);
  for (const name of outdated) await db.query(`DROP INDEX IF EXISTS ${schema}.${name}`);
}

/** Whether nothing is left to do for {@link indexJobs}, which waits for those who write before it looks. */
export async function areIndexed(db: Db, schema: string): Promise<boolean> {
  const names = (list: readonly string[]) => list.map((name) => `${schema}.${name}`);
  const [row] = await db.query<{ done: boolean }>(
    `SELECT NOT EXISTS (SELECT FROM unnest($1::text[]) name WHERE to_regclass(name) IS NULL)
        AND NOT EXISTS (SELECT FROM unnest($2::text[]) name WHERE to_regclass(name) IS NOT NULL) AS done`,
    [names(Object.keys(jobIndexes)), names(outdated)],
  );
  return row?.done === true;
}
