import { randomBytes } from 'node:crypto';
import type { Db } from '../../../server/src/db/db.ts';
import { buildIndexes } from '../../../server/src/db/indexes.ts';
import { openPostgres } from '../../../server/src/db/postgres.ts';
import { fillCatalog } from '../../support/fill-catalog.ts';

/** A database of the run's own on a server. */
export interface GrowthDatabase {
  url: string;
  /** Takes half an hour for a statement: an index over a million rows is one. */
  db: Db;
  drop(): Promise<void>;
}

const limits = { connectMs: 10_000, statementMs: 30 * 60_000, cancelMs: 5_000 };

export async function makeDatabase(serverUrl: string): Promise<GrowthDatabase> {
  const name = `growth_${randomBytes(6).toString('hex')}`;
  const server = await openPostgres(serverUrl);
  await server.query(`CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const db = await openPostgres(url.href, limits);
  return {
    url: url.href,
    db,
    async drop() {
      await db.close();
      await server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await server.close();
    },
  };
}

/** What one recording takes, in bytes. */
export interface Footprint {
  row: number;
  indexes: number;
  audit: number;
  /** Of each index, the largest first. */
  each: Record<string, number>;
}

/** Rows, indexes and statistics, as a host has them after its first night. */
export async function fill(
  db: Db,
  account: string,
  recordings: number,
  log: (line: string) => void,
): Promise<Footprint> {
  const began = performance.now();
  await fillCatalog(db, {
    account,
    recordings,
    onProgress: (rows) => {
      if (rows % 200_000 === 0) log(`${rows} of ${recordings} rows`);
    },
  });
  await buildIndexes(db);
  await db.query('VACUUM ANALYZE');
  // What a fill leaves to be written must not be written while the first operations are measured.
  await db.query('CHECKPOINT').catch(() => undefined);
  log(`${recordings} rows in ${Math.round((performance.now() - began) / 1_000)} s`);
  return footprint(db, recordings);
}

async function footprint(db: Db, recordings: number): Promise<Footprint> {
  const [sizes] = await db.query<{ row: number; indexes: number; audit: number }>(
    `SELECT pg_table_size('recordings') AS row, pg_indexes_size('recordings') AS indexes,
       pg_total_relation_size('audit') AS audit`,
  );
  const each = await db.query<{ name: string; bytes: number }>(
    `SELECT indexrelid::regclass::text AS name, pg_relation_size(indexrelid) AS bytes FROM pg_index
     WHERE indrelid IN ('recordings'::regclass, 'audit'::regclass) ORDER BY 2 DESC`,
  );
  const share = (bytes: number | undefined) => Math.round((bytes ?? 0) / recordings);
  return {
    row: share(sizes?.row),
    indexes: share(sizes?.indexes),
    audit: share(sizes?.audit),
    each: Object.fromEntries(each.map(({ name, bytes }) => [name, share(bytes)])),
  };
}
