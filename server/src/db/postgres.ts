import { CustodyError } from '@flex-custody/core';
import pg from 'pg';
import { systemCode } from '../config/system-code.ts';
import type { Db } from '../db.ts';
import { type Prepared, preparedStatements } from './prepared.ts';

const bigintOid = 20;

type Client = pg.Pool | pg.PoolClient;

const MOST_CONNECTIONS = 10;
/** Besides those: one plan for all values is a setting of a connection. */
const ROUTINE_CONNECTIONS = 4;

function openPool(url: string, options: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({
    ...options,
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    application_name: 'flex-custody',
    types: {
      // Our bigints count bytes and rows: far below 2^53, and a number is what the embedded database gives.
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === bigintOid ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  });
  // An idle connection that breaks is replaced at the next query, which reports if there is still a fault.
  pool.on('error', () => undefined);
  return pool;
}

/**
 * Of a few jobs out of a backlog PostgreSQL takes a plan for just so many to be worth its making, each time: it costs
 * more than to fetch them, since the table of jobs is one of many parts.
 */
function openRoutinePool(url: string): pg.Pool {
  return openPool(url, {
    max: ROUTINE_CONNECTIONS,
    // Without it all is done as well, only slower.
    onConnect: (client) => client.query('SET plan_cache_mode = force_generic_plan').catch(() => undefined),
  });
}

/** PostgreSQL behind a pool. */
export async function openPostgres(url: string): Promise<Db> {
  const pool = openPool(url, { max: MOST_CONNECTIONS });
  let routinePool: pg.Pool | undefined;
  const prepared = preparedStatements();
  try {
    await pool.query('SELECT 1');
  } catch (cause) {
    await pool.end();
    throw fault(cause);
  }
  const query = <T>(sql: string, values?: readonly unknown[]): Promise<T[]> =>
    values !== undefined && values.length > 0
      ? run<T>(prepared, pool, sql, values)
      : // Several statements may hold their own BEGIN.
        onConnection(pool, (client) => run<T>(prepared, client, sql));
  return {
    kind: 'postgres',
    query,
    routine: <T>(sql: string, values?: readonly unknown[]): Promise<T[]> => {
      if (values === undefined || values.length === 0) return query<T>(sql);
      routinePool ??= openRoutinePool(url);
      return run<T>(prepared, routinePool, sql, values);
    },
    transaction: (work) =>
      onConnection(pool, async (client) => {
        await client.query('BEGIN');
        const result = await work(within(prepared, client));
        await client.query('COMMIT');
        return result;
      }),
    close: async () => {
      await Promise.all([pool.end(), routinePool?.end()]);
    },
  };
}

/** A transaction inside a transaction is the same one: all of it commits, or none. */
function within(prepared: Prepared, client: pg.PoolClient): Db {
  const db: Db = {
    kind: 'postgres',
    query: (sql, values) => run(prepared, client, sql, values),
    routine: (sql, values) => run(prepared, client, sql, values),
    transaction: (work) => work(db),
    close: async () => undefined,
  };
  return db;
}

/** On one connection, which must not go back in mid-transaction where the work fails. */
async function onConnection<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await checkout(pool);
  try {
    const result = await work(client);
    client.release();
    return result;
  } catch (error) {
    await client.query('ROLLBACK').then(
      () => client.release(),
      (broken: Error) => client.release(broken),
    );
    throw error;
  }
}

async function checkout(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (cause) {
    throw fault(cause);
  }
}

async function run<T>(
  prepared: Prepared,
  client: Client,
  sql: string,
  values?: readonly unknown[],
): Promise<T[]> {
  const send = async (): Promise<T[]> => {
    const result: unknown =
      values === undefined || values.length === 0
        ? await client.query(sql)
        : await client.query({ ...named(prepared.nameOf(sql)), text: sql, values: [...values] });
    const last = Array.isArray(result) ? result.at(-1) : result;
    return (last as { rows: T[] }).rows;
  };
  try {
    return await send();
  } catch (cause) {
    if (!prepared.refused(sql, systemCode(cause))) throw fault(cause);
    // Inside a transaction, which it has ended, it fails once more; whoever tries that again succeeds.
    return send().catch((again: unknown) => {
      throw fault(again);
    });
  }
}

const named = (name: string | undefined) => (name === undefined ? {} : { name });

/** What SQL itself refuses (five characters of SQLSTATE) stays as it is; connections and shutdowns are passing troubles. */
function fault(cause: unknown): unknown {
  const code = systemCode(cause);
  if (/^[0-9A-Z]{5}$/.test(code) && !/^(08|53|57P)/.test(code)) return cause;
  return new CustodyError(
    'database_unavailable',
    `PostgreSQL does not answer (${code || 'connection lost'})`,
    {
      status: 503,
      retryable: true,
      cause,
    },
  );
}
