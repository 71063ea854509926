import { CustodyError } from '@flex-custody/core';
import type { Db } from './db.ts';
import { migrationMs } from './limits.ts';
import { migrations } from './migrations/index.ts';

/** Any number will do, as long as every process of ours takes the same. */
const lockNumber = 4_100_190_001;

/**
 * Brings the database to this program's version, one process at a time. Each migration is a transaction of its own, which
 * releases its locks before the next one. If one fails, the next start continues with it. `indexes.ts` builds indexes.
 * @throws CustodyError `database_newer` if a newer release has migrated it: an older one could lose data
 */
export async function migrate(db: Db, list: readonly string[] = migrations): Promise<number> {
  while (await migrateOnce(db, list));
  return list.length;
}

/** @returns whether it ran a migration */
async function migrateOnce(db: Db, list: readonly string[]): Promise<boolean> {
  return db.transaction(async (inner) => {
    await inner.query('SELECT pg_advisory_xact_lock($1)', [lockNumber]);
    await inner.query(
      'CREATE TABLE IF NOT EXISTS schema_version (version integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())',
    );
    const [row] = await inner.query<{ version: number }>(
      'SELECT coalesce(max(version), 0)::int AS version FROM schema_version',
    );
    const before = row?.version ?? 0;
    if (before > list.length) {
      throw new CustodyError(
        'database_newer',
        `the database is at version ${before}, this program knows ${list.length}: run the newer release, or restore a backup made before it`,
      );
    }
    const next = list[before];
    if (next === undefined) return false;
    await inner.query(next);
    await inner.query('INSERT INTO schema_version (version) VALUES ($1)', [before + 1]);
    return true;
  }, migrationMs);
}
