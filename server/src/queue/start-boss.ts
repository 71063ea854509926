import type PgBoss from 'pg-boss';
import type { Db } from '../db/db.ts';
import { migrationMs } from '../db/limits.ts';
import { deadName, deleteQueues, formerNames, queuesNamed } from './former-queues.ts';
import type { Job } from './job.ts';
import { areCounted, prepareCounts } from './job-counts.ts';
import { areIndexed, indexJobs } from './job-indexes.ts';

export interface BossSettings {
  supervise: boolean;
  superviseSeconds: number;
  retries: { limit: number; delaySeconds: number };
  onError: (error: unknown) => void;
}

const minute = 60;
const day = 24 * 60 * minute;

/** A job that no worker has taken expires after two weeks. */
export const keptSeconds = 14 * day;

/**
 * How long a finished job stays before pg-boss moves it to its archive, and how long there. Done jobs are deleted at once, those
 * of a schedule when a job of a later slot is done, so only failed jobs stay, for a week. The longest slot of a schedule is a
 * week, and pg-boss refuses a slot that is longer than it keeps completed jobs.
 */
export const archiving = {
  archiveCompletedAfterSeconds: 7 * day,
  archiveFailedAfterSeconds: 60 * minute,
  deleteAfterDays: 7,
} as const;

/** Loads pg-boss, and sets up its schema and our indexes if they are missing. */
export async function startBoss(
  db: Db,
  schema: string,
  jobs: readonly Job[],
  { supervise, superviseSeconds, onError, retries }: BossSettings,
): Promise<PgBoss> {
  const { limit: retryLimit, delaySeconds: retryDelay } = retries;
  const { default: Boss } = await import('pg-boss');
  const boss = new Boss({
    db: { executeSql: async (text, values) => ({ rows: await db.routine(text, values) }) },
    schema,
    supervise,
    maintenanceIntervalSeconds: superviseSeconds,
    schedule: false,
    retryLimit,
    retryDelay,
    retryBackoff: true,
    ...archiving,
  });
  boss.on('error', onError);
  await boss.start();
  for (const { name, limitSeconds } of jobs) {
    await boss.createQueue(deadName(name), { name: deadName(name), retryLimit, retryDelay: 60 });
    await boss.createQueue(name, {
      name,
      policy: 'short',
      retryLimit,
      retryDelay,
      retryBackoff: true,
      expireInSeconds: limitSeconds,
      deadLetter: deadName(name),
    });
  }
  await prepare(db, schema, formerNames(jobs));
  return boss;
}

/** Any number will do, as long as every process of ours takes the same. */
const lockNumber = 4_100_190_002;

/** Checks first, without a lock: nearly always nothing must be changed. */
async function prepare(db: Db, schema: string, former: readonly string[]): Promise<void> {
  const isReady = (await areIndexed(db, schema)) && (await areCounted(db, schema));
  if (isReady && (await queuesNamed(db, schema, former)).length === 0) return;
  await db.transaction(async (inner) => {
    await inner.query('SELECT pg_advisory_xact_lock($1)', [lockNumber]);
    await indexJobs(inner, schema);
    await prepareCounts(inner, schema);
    await deleteQueues(inner, schema, former);
  }, migrationMs);
}
