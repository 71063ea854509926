import type { Db } from '../db/db.ts';
import type { Job } from './job.ts';

/** Queues of jobs by their former names, each before its queue of dead letters, to which it refers. */
export const formerNames = (jobs: readonly Job[]): string[] =>
  jobs.flatMap(({ formerly }) => formerly.flatMap((name) => [name, deadName(name)]));

export const deadName = (name: string): string => `${name}.dead`;

/** Those of these queues that exist. */
export async function queuesNamed(
  db: Pick<Db, 'query'>,
  schema: string,
  names: readonly string[],
): Promise<string[]> {
  if (names.length === 0) return [];
  const rows = await db.query<{ name: string }>(
    `SELECT name FROM ${schema}.queue WHERE name = ANY($1::text[])`,
    [names],
  );
  return rows.map(({ name }) => name);
}

/** Deletes these queues in this order, with their jobs. The caller holds a lock: pg-boss fails if another host deletes the same queue. */
export async function deleteQueues(
  db: Pick<Db, 'query'>,
  schema: string,
  names: readonly string[],
): Promise<void> {
  const there = await queuesNamed(db, schema, names);
  for (const name of names.filter((one) => there.includes(one))) {
    await db.query(`DELETE FROM ${schema}.job WHERE name = $1`, [name]);
    await db.query(`SELECT ${schema}.delete_queue($1)`, [name]);
  }
}
