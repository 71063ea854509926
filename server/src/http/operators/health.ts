import { createAlarms } from '../../catalog/alarms.ts';
import { createCatalog } from '../../catalog/catalog.ts';
import type { Db } from '../../db.ts';
import { migrations } from '../../migrations.ts';
import { type QueueHealth, queueHealth } from '../../queue/health.ts';
import { createRuns, type RunView } from '../../runs/runs.ts';

/** How it stands with what lies in the database; the rest of it is absent before the host has set it up for this release. */
export interface Health {
  kind: Db['kind'];
  /** Migrations that have been done; 0: it is empty. */
  version: number;
  work?: {
    /** Recordings that were given up. */
    failed: number;
    /** Absent from a host of an earlier release. */
    custody?: { verified: number; proven: number };
    /** Alarms that stand, by code. */
    alarms: Record<string, number>;
    jobs: QueueHealth;
    /** The last run of each long work that ever ran. */
    runs: RunView[];
  };
}

/** Reads only: a database that nobody has set up yet stays as it is. */
export async function readHealth(db: Db): Promise<Health> {
  const [table] = await db.query<{ there: boolean }>(
    `SELECT to_regclass('schema_version') IS NOT NULL AS there`,
  );
  const [row] = table?.there
    ? await db.query<{ n: number }>('SELECT coalesce(max(version), 0)::int AS n FROM schema_version')
    : [];
  const version = row?.n ?? 0;
  if (version !== migrations.length) return { kind: db.kind, version };
  const { states, proven } = await createCatalog(db).counts();
  return {
    kind: db.kind,
    version,
    work: {
      failed: states.failed,
      custody: { verified: states.verified, proven },
      alarms: await createAlarms(db).counts(),
      jobs: await queueHealth(db),
      runs: await createRuns(db).all(),
    },
  };
}
