import { CustodyError } from '@flex-custody/core';
import { inTime } from '@flex-custody/net';
import pg from 'pg';
import { systemCode } from '../config/system-code.ts';
import type { Db } from './db.ts';
import { type DbLimits, dbLimits, insideTransaction, lateDatabase } from './limits.ts';
import { type Prepared, preparedStatements } from './prepared.ts';

const bigintOid = 20;

type Client = pg.Pool | pg.PoolClient;

const MOST_CONNECTIONS = 10;
/** In addition to those, for `routine`: one plan for all values is a setting of a connection. */
const ROUTINE_CONNECTIONS = 4;

/**
 * Statements have two limits: the server ends a statement that takes too long, and this side ends one that no server answers.
 * The server's limit is set by a statement on each connection, since a pooler refuses it as a parameter of the connection.
 */
function openPool(
  url: string,
  { connectMs, statementMs, cancelMs }: DbLimits,
  { settings = '', ...options }: pg.PoolConfig & { settings?: string },
): pg.Pool {
  const limits = `SET statement_timeout = ${statementMs}; SET idle_in_transaction_session_timeout = ${statementMs}`;
  const pool = new pg.Pool({
    ...options,
    connectionString: url,
    connectionTimeoutMillis: connectMs,
    query_timeout: statementMs + cancelMs,
    // Without them statements are slower, or have only this side's limit.
    onConnect: (client) => client.query(`${limits};${settings}`).catch(() => undefined),
    idleTimeoutMillis: 30_000,
    application_name: 'flex-custody',
    types: {
      // Our bigints count bytes and rows, far below 2^53, and the embedded database also returns numbers.
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === bigintOid ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  });
  // The next query replaces an idle connection that broke, and reports a fault that remains.
  pool.on('error', () => undefined);
  return pool;
}

/**
 * For a few jobs of a backlog PostgreSQL would choose a custom plan each time: planning over the many partitions of the table
 * takes longer than fetching the jobs.
 */
function openRoutinePool(url: string, limits: DbLimits): pg.Pool {
  return openPool(url, limits, {
    max: ROUTINE_CONNECTIONS,
    settings: 'SET plan_cache_mode = force_generic_plan',
  });
}

/** PostgreSQL behind a pool. */
export async function openPostgres(url: string, limits: DbLimits = dbLimits): Promise<Db> {
  const pool = openPool(url, limits, { max: MOST_CONNECTIONS });
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
      : // Several statements may contain their own BEGIN.
        onConnection(pool, (client) => run<T>(prepared, client, sql));
  return {
    kind: 'postgres',
    query,
    routine: <T>(sql: string, values?: readonly unknown[]): Promise<T[]> => {
      if (values === undefined || values.length === 0) return query<T>(sql);
      routinePool ??= openRoutinePool(url, limits);
      return run<T>(prepared, routinePool, sql, values);
    },
    transaction: (work, limitMs = limits.statementMs) =>
      onConnection(pool, async (client) => {
        await run(prepared, client, 'BEGIN');
        const other = limitMs === limits.statementMs ? undefined : limitMs;
        if (other !== undefined) await run(prepared, client, `SET LOCAL statement_timeout = ${other}`);
        const result = await inTime(work(within(prepared, client, other)), limitMs, () =>
          lateDatabase(limitMs),
        );
        await run(prepared, client, 'COMMIT');
        return result;
      }),
    alone: (sql, limitMs, signal) =>
      onConnection(pool, async (client) => {
        signal?.throwIfAborted();
        await run(prepared, client, `SET statement_timeout = ${limitMs}`);
        const cancel = () =>
          void pool.query('SELECT pg_cancel_backend($1)', [processOf(client)]).catch(() => undefined);
        signal?.addEventListener('abort', cancel, { once: true });
        try {
          await run(prepared, client, sql, undefined, limitMs);
        } finally {
          signal?.removeEventListener('abort', cancel);
          await run(prepared, client, `SET statement_timeout = ${limits.statementMs}`).catch(() => undefined);
        }
      }),
    close: async () => {
      await Promise.all([pool.end(), routinePool?.end()]);
    },
  };
}

/** The server's process id for this connection; pg's types lack it. */
const processOf = (client: pg.PoolClient): number | undefined =>
  (client as pg.PoolClient & { processID?: number }).processID;

/** A transaction inside a transaction is the same one: all of it commits, or nothing. */
function within(prepared: Prepared, client: pg.PoolClient, limitMs?: number): Db {
  const db: Db = {
    kind: 'postgres',
    query: (sql, values) => run(prepared, client, sql, values, limitMs),
    routine: (sql, values) => run(prepared, client, sql, values, limitMs),
    transaction: (work) => work(db),
    alone: insideTransaction,
    close: async () => undefined,
  };
  return db;
}

/** Runs on one connection, which must not return to the pool within a transaction if the work fails. */
async function onConnection<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await checkout(pool);
  // The pool listens to idle connections alone; one that breaks between two statements fails at the next one.
  client.on('error', ignore);
  const release = (broken?: Error) => {
    client.release(broken);
    client.off('error', ignore);
  };
  try {
    const result = await work(client);
    release();
    return result;
  } catch (error) {
    await client.query('ROLLBACK').then(() => release(), release);
    throw error;
  }
}

const ignore = () => undefined;

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
  /** Replaces the pool's limit, ms. */
  limitMs?: number,
): Promise<T[]> {
  const limit = limitMs === undefined ? {} : { query_timeout: limitMs + dbLimits.cancelMs };
  const send = async (): Promise<T[]> => {
    const result: unknown =
      values === undefined || values.length === 0
        ? await client.query({ text: sql, ...limit })
        : await client.query({ ...named(prepared.nameOf(sql)), text: sql, values: [...values], ...limit });
    const last = Array.isArray(result) ? result.at(-1) : result;
    return (last as { rows: T[] }).rows;
  };
  try {
    return await send();
  } catch (cause) {
    if (!prepared.refused(sql, systemCode(cause))) throw fault(cause);
    // Inside a transaction, which the error has ended, it fails again; a retry of the transaction succeeds.
    return send().catch((again: unknown) => {
      throw fault(again);
    });
  }
}

const named = (name: string | undefined) => (name === undefined ? {} : { name });

/**
 * Errors of SQL (five characters of SQLSTATE) stay as they are; lost connections, shutdowns and limits (57014) are
 * retryable.
 */
function fault(cause: unknown): unknown {
  const code = systemCode(cause);
  if (/^[0-9A-Z]{5}$/.test(code) && !/^(08|53|57P|57014|25P0[34])/.test(code)) return cause;
  return new CustodyError(
    'database_unavailable',
    `PostgreSQL does not answer (${code || 'connection lost'})`,
    { cause },
  );
}
