/**
 * The one way to SQL, the same on the embedded database and on PostgreSQL: `$1` parameters, jsonb as parsed values,
 * timestamps as Date, bigint as number.
 */
export interface Db {
  readonly kind: 'pglite' | 'postgres';
  /** Without values the text may contain several statements; the rows are those of the last one. */
  query<T>(sql: string, values?: readonly unknown[]): Promise<T[]>;
  /** The same with one plan for all values: for frequent statements that take longer to plan than to run. */
  routine<T>(sql: string, values?: readonly unknown[]): Promise<T[]>;
  /**
   * Commits when `work` resolves, rolls back when it throws. Inside use only the inner `db`: the embedded database has one
   * session, and the outer one would wait for this transaction.
   * @param limitMs of the whole transaction and of each statement in it; a minute by default
   */
  transaction<T>(work: (db: Db) => Promise<T>, limitMs?: number): Promise<T>;
  /** One statement outside of any transaction, such as CREATE INDEX CONCURRENTLY. @param signal cancels it */
  alone(sql: string, limitMs: number, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
