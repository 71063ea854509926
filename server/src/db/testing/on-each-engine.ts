import { randomBytes } from 'node:crypto';
import { constants, runInThisContext } from 'node:vm';
import { describeWhere } from '../../../../test/support/needs.ts';
import type { Db } from '../db.ts';
import { openPglite } from '../pglite.ts';
import { openPostgres } from '../postgres.ts';

// The embedded engine imports parts of Node at run time, which the realm of tests refuses, so it is loaded outside of it.
jest.mock('@electric-sql/pglite', () => ({
  PGlite: {
    create: runInThisContext(
      `async (dataDir, options) => {
           const { PGlite } = await import('@electric-sql/pglite');
           if (dataDir !== 'memory://') return PGlite.create(dataDir, options);
           // A new database takes seconds, and a copy of one half of a second.
           globalThis.newDatabase ??= PGlite.create(dataDir).then(async (empty) => {
             const copy = await empty.dumpDataDir('none');
             await empty.close();
             return copy;
           });
           return PGlite.create(dataDir, { ...options, loadDataDir: await globalThis.newDatabase });
         }`,
      { importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER },
    ) as (...options: unknown[]) => Promise<unknown>,
  },
}));

export interface TestDatabase {
  db: Db;
  /** The suite's own schema, for code that ignores the search path. */
  schema: string;
  /** Another connection to the same data, if the engine can have one. */
  another?: () => Promise<Db>;
  drop(): Promise<void>;
}

/** Declares a suite on the embedded database, and again on PostgreSQL if there is one. */
export function onEachEngine(name: string, suite: (open: () => Promise<TestDatabase>) => void): void {
  describe(`${name}, embedded`, () => suite(openEmbedded));
  describeWhere('postgresql', `${name}, PostgreSQL`, () => suite(openServer));
}

export async function openEmbedded(): Promise<TestDatabase> {
  const db = await openPglite('memory://');
  return { db, schema: 'own', drop: () => db.close() };
}

export async function openServer(): Promise<TestDatabase> {
  const schema = `t_${randomBytes(6).toString('hex')}`;
  const url = new URL(process.env['TEST_DATABASE_URL'] ?? '');
  url.searchParams.set('options', `-c search_path=${schema}`);
  const db = await openPostgres(url.href);
  await db.query(`CREATE SCHEMA ${schema}`);
  return {
    db,
    schema,
    another: () => openPostgres(url.href),
    async drop() {
      await db.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
      await db.query(`DROP SCHEMA IF EXISTS ${schema}_jobs CASCADE`);
      await db.close();
    },
  };
}
