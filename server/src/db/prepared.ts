import { createHash } from 'node:crypto';

/** Far more than our statements and the queue's; what comes after them is of a kind that is made anew each time. */
const most = 500;

/** The statement is not there, or there already: a pooler between us hands each of them another connection. */
const notOurs = new Set(['26000', '42P05']);
/** The tables have changed since it was planned. */
const outlived = '0A000';

/**
 * Names under which PostgreSQL keeps statements, so that each is read and planned once for a connection: most of ours
 * take longer to plan than to run.
 */
export interface Prepared {
  /** Undefined for a statement that is to be sent whole. */
  nameOf(sql: string): string | undefined;
  /** True where the name alone was at fault, before anything was done: from now on the statement is sent whole. */
  refused(sql: string, sqlState: string): boolean;
}

export function preparedStatements(): Prepared {
  const names = new Map<string, string | undefined>();
  let works = true;
  return {
    nameOf(sql) {
      if (!works) return undefined;
      if (!names.has(sql) && names.size < most) {
        // By its text: behind a pooler that shares connections, one name must never mean two statements.
        names.set(sql, `custody_${createHash('sha256').update(sql).digest('hex').slice(0, 32)}`);
      }
      return names.get(sql);
    },
    refused(sql, sqlState) {
      if (names.get(sql) === undefined) return false;
      if (notOurs.has(sqlState)) works = false;
      else if (sqlState === outlived) names.set(sql, undefined);
      else return false;
      return true;
    },
  };
}
