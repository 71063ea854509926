import { createHash } from 'node:crypto';

/** Far more than our statements and the queue's; any further statement has a text of its own each time. */
const most = 500;

/** The statement is missing, or exists already: a pooler gave it another connection. */
const notOurs = new Set(['26000', '42P05']);
/** The tables have changed since the statement was planned. */
const outlived = '0A000';

/**
 * Names under which PostgreSQL keeps statements, so that each is read and planned once for a connection: most of ours
 * take longer to plan than to run.
 */
export interface Prepared {
  /** Undefined for a statement that must be sent in full. */
  nameOf(sql: string): string | undefined;
  /** True if only the name failed, before anything was done: from now on the statement is sent in full. */
  refused(sql: string, sqlState: string): boolean;
}

export function preparedStatements(): Prepared {
  const names = new Map<string, string | undefined>();
  let works = true;
  return {
    nameOf(sql) {
      if (!works) return undefined;
      if (!names.has(sql) && names.size < most) {
        // Made of its text: with a pooler that shares connections, one name must never mean two statements.
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
