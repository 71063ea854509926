import { CustodyError } from '@flex-custody/core';

export interface DbLimits {
  /** To get a connection, with the wait for a free one, ms. */
  connectMs: number;
  /** For each statement, and for a transaction whose work waits for something else, ms. */
  statementMs: number;
  /** Extra time in which the server can end a statement before this side ends the connection, ms. */
  cancelMs: number;
}

export const dbLimits: DbLimits = { connectMs: 5_000, statementMs: 60_000, cancelMs: 5_000 };

/** For statements that may rewrite whole tables: migrations. */
export const migrationMs = 60 * 60_000;

export const lateDatabase = (ms: number) =>
  new CustodyError('database_unavailable', `the database did not finish within ${ms / 1_000} s`);

/** `alone` of a transaction's Db. */
export const insideTransaction = (): Promise<never> =>
  Promise.reject(new Error('such a statement cannot be part of a transaction'));
