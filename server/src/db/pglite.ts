import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PGlite, PGliteInterface, Transaction } from '@electric-sql/pglite';
import { CustodyError } from '@flex-custody/core';
import { inTime } from '@flex-custody/net';
import type { Db } from './db.ts';
import { dbLimits, insideTransaction, lateDatabase } from './limits.ts';
import { type DirectoryLock, lockDirectory, lockFile } from './lock.ts';
import { privateFolder } from './private-folder.ts';

/** In the data folder, beside the lock. */
const engineFolder = 'pglite';

const timestamptz = 1184;
/** Types are explicit, since the engine's own test for a Date fails for one of another realm. */
const parsers = { [timestamptz]: (text: string) => new Date(text) };
const serializers = {
  [timestamptz]: (value: Date | string | number) => new Date(value).toISOString(),
};

/** The embedded database in `directory`, which only this process may use; `memory://` is one in memory. */
export async function openPglite(directory: string): Promise<Db> {
  const inMemory = directory === 'memory://';
  let lock: DirectoryLock | undefined;
  if (!inMemory) {
    privateFolder(directory, [lockFile]);
    lock = lockDirectory(directory);
  }
  try {
    const { PGlite } = await import('@electric-sql/pglite');
    if (inMemory) return serialised(await PGlite.create(directory, { parsers, serializers }), lock);
    mkdirSync(join(directory, engineFolder), { recursive: true, mode: 0o700 });
    privateFolder(directory, [engineFolder]);
    const { PrivateFS } = await import('./private-fs.ts');
    const fs = new PrivateFS(join(directory, engineFolder));
    return serialised(await PGlite.create({ fs, parsers, serializers }), lock);
  } catch (cause) {
    lock?.release();
    if (cause instanceof CustodyError) throw cause;
    throw new CustodyError(
      'database_unopened',
      `the embedded database in ${directory} does not open: restore the folder from a backup, or move it away and run flex-custody catalog rebuild, which reads the catalog back from the bucket`,
      { cause },
    );
  }
}

/** There is one session: each call waits for the one before it; a whole transaction is one call. */
function serialised(engine: PGlite, lock: DirectoryLock | undefined): Db {
  let tail: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | undefined;
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    if (closing) {
      return Promise.reject(new CustodyError('database_unavailable', 'the database is closed'));
    }
    // The engine runs on this thread: without a pause, many queries in a row would block timers and sockets.
    const result = tail.then(work).finally(() => nextTurn());
    tail = result.catch(() => undefined);
    return result;
  };
  const query = <T>(sql: string, values?: readonly unknown[]) =>
    inTurn(async () => {
      try {
        return await run<T>(engine, sql, values);
      } catch (error) {
        // Several statements may contain their own BEGIN, which a failure would leave open for the next call.
        if (values === undefined || values.length === 0) await engine.exec('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  return {
    kind: 'pglite',
    query,
    routine: query,
    // All other calls wait for this one: work that takes too long is rolled back.
    transaction: <T>(work: (db: Db) => Promise<T>, limitMs = dbLimits.statementMs) =>
      inTurn(() =>
        engine.transaction((transaction) =>
          inTime(work(within(transaction)), limitMs, () => lateDatabase(limitMs)),
        ),
      ),
    alone: async (sql) => {
      await query(sql);
    },
    close: () => {
      closing ??= tail.then(async () => {
        await engine.close();
        lock?.release();
      });
      return closing;
    },
  };
}

function within(transaction: Transaction): Db {
  const db: Db = {
    kind: 'pglite',
    query: (sql, values) => run(transaction, sql, values),
    routine: (sql, values) => run(transaction, sql, values),
    transaction: (work) => work(db),
    alone: insideTransaction,
    close: async () => undefined,
  };
  return db;
}

async function run<T>(
  engine: Pick<PGliteInterface | Transaction, 'query' | 'exec'>,
  sql: string,
  values?: readonly unknown[],
): Promise<T[]> {
  if (values !== undefined && values.length > 0) return (await engine.query<T>(sql, [...values])).rows;
  return ((await engine.exec(sql)).at(-1)?.rows ?? []) as T[];
}
