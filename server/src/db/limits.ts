import { CustodyError } from '@flex-custody/core';

export interface DbLimits {
  /** Until a connection is there, the wait for a free one included, ms. */
  connectMs: number;
  /** Of each statement, and of a transaction whose work waits for something else, ms. */
  statementMs: number;
  /** What the server has to end a statement by itself before this side ends the connection, ms. */
  cancelMs: number;
}

export const dbLimits: DbLimits = { connectMs: 5_000, statementMs: 60_000, cancelMs: 5_000 };

/** Of statements that may rewrite whole tables: bringing the database to a new version. */
export const migrationMs = 60 * 60_000;

export const lateDatabase = (ms: number) =>
  new CustodyError('database_unavailable', `the database was not done within ${ms / 1_000} s`);

/** `alone` of a transaction's Db. */
export const insideTransaction = (): Promise<never> =>
  Promise.reject(new Error('such a statement cannot be part of a transaction'));
