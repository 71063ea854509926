import type { AccountSid } from '@flex-custody/core';
import { createAlarms } from '../../alarms/alarms.ts';
import { createCatalog } from '../../catalog/create-catalog.ts';
import type { CallerKeys } from '../../catalog/recording-row.ts';
import { type ConnectorState, connectorState } from '../../connectors/status.ts';
import { readCustody } from '../../custody/bind.ts';
import type { CustodyFacts } from '../../custody/facts.ts';
import type { Db } from '../../db/db.ts';
import { missingIndexes } from '../../db/indexes.ts';
import { migrations } from '../../db/migrations/index.ts';
import { type QueueHealth, queueHealth } from '../../queue/health.ts';
import { createVersions } from '../../recorder/data-source/versions.ts';
import { createPolicies, type PolicySummary, summaryOf } from '../../retention/policies.ts';
import { createRuns, type RunView } from '../../runs/runs.ts';

/** State of the database and of the work in it; `work` is absent before the host has set the database up for this release. */
export interface Health {
  kind: Db['kind'];
  /** Number of migrations that have run; 0: the database is empty. */
  version: number;
  /** Indexes that are missing or being built; absent from a host of an earlier release. */
  missingIndexes?: string[];
  work?: {
    /** What the database is bound to; absent before the first start. */
    custody?: CustodyFacts;
    /** Number of recordings that are not erased; absent from a host of an earlier release. */
    recordings?: number;
    /** Recordings that failed for good. */
    failed: number;
    /** Absent from a host of an earlier release. */
    copies?: { verified: number; proven: number };
    /** Recordings by the secret of their caller digest. */
    callers?: CallerKeys;
    /** Open alarms, by code. */
    alarms: Record<string, number>;
    jobs: QueueHealth;
    /** Ids of the keys that signed the newest sidecars, and how many sidecars have no signature. */
    signing: { newest: string[]; unsigned: number };
    /** The policy in force; null if there is none, absent from a host of an earlier release. */
    policy?: PolicySummary | null;
    /** The current settings of the data source; null if none were saved, absent from a host of an earlier release. */
    dataSource?: { version: number; settings: unknown } | null;
    /** Absent from a host of an earlier release. */
    connector?: ConnectorState;
    /** The last run of each kind of long work. */
    runs: RunView[];
  };
}

/** Only reads: a database that no host has set up yet stays as it is. */
export async function readHealth(db: Db, accountSid: AccountSid): Promise<Health> {
  const [table] = await db.query<{ there: boolean }>(
    `SELECT to_regclass('schema_version') IS NOT NULL AS there`,
  );
  const [row] = table?.there
    ? await db.query<{ n: number }>('SELECT coalesce(max(version), 0)::int AS n FROM schema_version')
    : [];
  const version = row?.n ?? 0;
  if (version !== migrations.length) return { kind: db.kind, version };
  const catalog = createCatalog(db, accountSid);
  const { states, proven } = await catalog.counts();
  const custody = await readCustody(db);
  const policy = await createPolicies(db, accountSid).current();
  const dataSource = await createVersions(db).current();
  return {
    kind: db.kind,
    version,
    missingIndexes: await missingIndexes(db),
    work: {
      ...(custody && { custody }),
      recordings: await catalog.size(),
      failed: states.failed,
      copies: { verified: states.verified, proven },
      callers: await catalog.callerKeys(),
      alarms: await createAlarms(db).counts(),
      jobs: await queueHealth(db),
      signing: { newest: await catalog.newestSigners(), unsigned: await catalog.countUnsigned() },
      policy: policy ? summaryOf(policy) : null,
      dataSource: dataSource ? { version: dataSource.version, settings: dataSource.settings } : null,
      connector: await connectorState(db, 'brevo'),
      runs: await createRuns(db).all(),
    },
  };
}
