import type PgBoss from 'pg-boss';
import type { Db } from '../db/db.ts';
import { migrationMs } from '../db/limits.ts';
import { areCounted, prepareCounts } from './job-counts.ts';
import { areIndexed, indexJobs } from './job-indexes.ts';
import type { JobName, ScheduledName } from './queue.ts';

/** How long one try may take, in seconds, before another worker may have the job. */
export const tryLimits: Readonly<Record<JobName, number>> = {
  copy: 7_200,
  verify: 7_200,
  link: 300,
  // Another worker must have it soon: what is paused is not recorded.
  resume: 60,
  pauses: 60,
  reports: 60,
  call: 60,
  calls: 300,
  facts: 300,
  janitor: 900,
  describe: 7_200,
  measure: 300,
  reconcile: 7_200,
  // A pass over a very large bucket; pg-boss takes less than 24 h. Its run has a hold of its own, which lapses in a minute.
  compare: 82_800,
  prove: 7_200,
  sources: 900,
  retention: 7_200,
  sign: 7_200,
  trim: 900,
  webhook: 60,
  webhooks: 60,
};
export const jobNames = Object.keys(tryLimits) as readonly JobName[];
export const deadName = (name: JobName): string => `${name}.dead`;

const scheduled = {
  calls: true,
  janitor: true,
  pauses: true,
  reports: true,
  reconcile: true,
  compare: true,
  sources: true,
  retention: true,
  sign: true,
  trim: true,
  webhooks: true,
} satisfies Record<ScheduledName, true>;
export const scheduledNames = Object.keys(scheduled) as readonly ScheduledName[];
export const isScheduled = (name: string): boolean => name in scheduled;

export interface BossSettings {
  supervise: boolean;
  superviseSeconds: number;
  retries: { limit: number; delaySeconds: number };
  onError: (error: unknown) => void;
}

const minute = 60;
const day = 24 * 60 * minute;

/** After two weeks a job is given up that no worker has taken. */
export const keptSeconds = 14 * day;

/**
 * How long a job that is over stays, before pg-boss moves it to its archive, and there before it removes it. Done jobs are
 * deleted at once, those of a schedule when the next of their slots is done: what is left is what failed, which may be looked
 * into for a week. The longest slot of a schedule is a week, and pg-boss refuses one for longer than it keeps completed jobs.
 */
export const archiving = {
  archiveCompletedAfterSeconds: 7 * day,
  archiveFailedAfterSeconds: 60 * minute,
  deleteAfterDays: 7,
} as const;

/** Loads pg-boss, and sets up what it and our statements need where that is missing. */
export async function startBoss(
  db: Db,
  schema: string,
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
  for (const name of jobNames) {
    await boss.createQueue(deadName(name), { name: deadName(name), retryLimit, retryDelay: 60 });
    await boss.createQueue(name, {
      name,
      policy: 'short',
      retryLimit,
      retryDelay,
      retryBackoff: true,
      expireInSeconds: tryLimits[name],
      deadLetter: deadName(name),
    });
  }
  await prepare(db, schema);
  return boss;
}

/** Any number will do, as long as every process of ours takes the same. */
const lockNumber = 4_100_190_002;

/** Looks first, and without a lock: nearly always nothing is missing. */
async function prepare(db: Db, schema: string): Promise<void> {
  if ((await areIndexed(db, schema)) && (await areCounted(db, schema))) return;
  await db.transaction(async (inner) => {
    await inner.query('SELECT pg_advisory_xact_lock($1)', [lockNumber]);
    await indexJobs(inner, schema);
    await prepareCounts(inner, schema);
  }, migrationMs);
}
