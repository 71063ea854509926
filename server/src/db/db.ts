/**
 * The one way to SQL, the same on the embedded database and on PostgreSQL: `$1` parameters, jsonb as parsed values,
 * timestamps as Date, bigint as number.
 */
export interface Db {
  readonly kind: 'pglite' | 'postgres';
  /** Without values the text may hold several statements; the rows are the last one's. */
  query<T>(sql: string, values?: readonly unknown[]): Promise<T[]>;
  /** The same, by one plan for all values: for what runs all the time, and would take longer to plan than to do. */
  routine<T>(sql: string, values?: readonly unknown[]): Promise<T[]>;
  /**
   * Commits when `work` resolves, rolls back when it throws. Use the inner `db` alone inside: the embedded database has
   * one session, and the outer one would wait for this very transaction.
   * @param limitMs of the whole and of each statement in it; a minute by default
   */
  transaction<T>(work: (db: Db) => Promise<T>, limitMs?: number): Promise<T>;
  /** One statement outside of any transaction, such as CREATE INDEX CONCURRENTLY. @param signal cancels it */
  alone(sql: string, limitMs: number, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
