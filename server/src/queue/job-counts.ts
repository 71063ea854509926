import type { Db } from '../db/db.ts';

export interface JobCount {
  name: string;
  state: string;
  count: number;
}

/** How old the answer that all hosts share may be, in seconds. */
const sharedSeconds = 15;
/** By the database's clock; a clock that was set back must not keep an old answer for long. */
const isRecent = `at BETWEEN now() - interval '${sharedSeconds} s' AND now() + interval '${sharedSeconds} s'`;

/** Makes the table of the shared answer, without an answer. */
export async function prepareCounts(db: Db, schema: string): Promise<void> {
  await db.query(
    `CREATE TABLE IF NOT EXISTS ${schema}.counted (
       single boolean PRIMARY KEY DEFAULT true CHECK (single),
       at timestamptz NOT NULL DEFAULT '-infinity',
       counts jsonb NOT NULL DEFAULT '[]'
     );
     INSERT INTO ${schema}.counted DEFAULT VALUES ON CONFLICT DO NOTHING`,
  );
}

/** Whether that table exists. */
export async function areCounted(db: Db, schema: string): Promise<boolean> {
  const [row] = await db.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    `${schema}.counted`,
  ]);
  return row?.there === true;
}

/** Reads every job. Done jobs are deleted, so these are the jobs that wait, run or have failed. */
export const countStatement = (schema: string): string =>
  `SELECT name, state::text AS state, count(*)::int AS count FROM ${schema}.job GROUP BY name, state`;

export function countJobs(db: Pick<Db, 'query'>, schema: string): Promise<JobCount[]> {
  return db.query<JobCount>(countStatement(schema));
}

/** At most {@link sharedSeconds} old, so that any number of hosts cost one count in that time. */
export async function sharedCounts(db: Db, schema: string): Promise<JobCount[]> {
  const [shared] = await db.query<{ counts: JobCount[] }>(
    `SELECT counts FROM ${schema}.counted WHERE ${isRecent}`,
  );
  if (shared) return shared.counts;
  return db.transaction(async (inner) => {
    // If several hosts ask at the same time, one counts; the others wait here, and use its answer.
    const [row] = await inner.query<{ counts: JobCount[]; isRecent: boolean }>(
      `SELECT counts, ${isRecent} AS "isRecent" FROM ${schema}.counted FOR UPDATE`,
    );
    if (row?.isRecent) return row.counts;
    const counts = await countJobs(inner, schema);
    await inner.query(`UPDATE ${schema}.counted SET at = now(), counts = $1::jsonb`, [
      JSON.stringify(counts),
    ]);
    return counts;
  });
}
