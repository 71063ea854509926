import type pg from 'pg';
import type { Db } from '../db.ts';

/** A statement and its plan. */
export interface Explained {
  /** What the test did. */
  during: string;
  sql: string;
  plans: Plan[];
}

export interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Total Cost': number;
  Plans?: Plan[];
}

export interface ExplainingDb extends Db {
  readonly explained: Explained[];
  /** Names what comes next. */
  during(what: string): void;
  /**
   * Whether statements that write run too. Otherwise only those that read run, and all others return no row.
   */
  carryOut(all: boolean): void;
}

/** Under `plan_cache_mode = auto` PostgreSQL uses a generic plan from the sixth time on, if it costs no more. */
const times = 7;

/** A database on one connection that has each statement explained, as often as PostgreSQL needs to choose its plan. */
export function explainingDb(client: pg.Client): ExplainingDb {
  const explained: Explained[] = [];
  let during = '';
  let carriesOut = true;
  let last: Promise<unknown> = Promise.resolve();
  /** One after the other, since a prepared statement takes several queries. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return mine;
  };
  const rowsOf = async <T>(sql: string): Promise<T[]> => (await client.query(sql)).rows as T[];

  const explain = async (sql: string, values: readonly unknown[], isRoutine: boolean) => {
    const plans: Plan[] = [];
    const label = during;
    await client.query(`SET plan_cache_mode = ${isRoutine ? 'force_generic_plan' : 'auto'}`);
    await client.query(`PREPARE explained AS ${sql}`);
    const given = values.length === 0 ? '' : `(${values.map(literal).join(', ')})`;
    try {
      for (let time = 0; time < (isRoutine || values.length === 0 ? 1 : times); time++) {
        const [row] = await rowsOf<{ 'QUERY PLAN': { Plan: Plan }[] }>(
          `EXPLAIN (FORMAT JSON) EXECUTE explained${given}`,
        );
        if (row?.['QUERY PLAN'][0]) plans.push(row['QUERY PLAN'][0].Plan);
      }
    } finally {
      await client.query('DEALLOCATE explained');
    }
    explained.push({ during: label, sql, plans });
  };

  const send = <T>(sql: string, values: readonly unknown[], isRoutine: boolean): Promise<T[]> =>
    inTurn(async () => {
      // Only a text without values may be several statements.
      const each = values.length === 0 ? sql.split(/;\s*(?:\n|$)/) : [sql];
      for (const one of each.filter(isPlanned)) await explain(one, values, isRoutine);
      if (!carriesOut && !isReading(sql)) return [];
      const result: unknown = await client.query(sql, values.length === 0 ? undefined : [...values]);
      return ((Array.isArray(result) ? result.at(-1) : result) as { rows: T[] }).rows;
    });

  const db: ExplainingDb = {
    kind: 'postgres',
    explained,
    during(what) {
      during = what;
    },
    carryOut(all) {
      carriesOut = all;
    },
    query: (sql, values = []) => send(sql, values, false),
    routine: (sql, values = []) => send(sql, values, true),
    transaction: (work) => work(db),
    alone: async () => undefined,
    close: async () => undefined,
  };
  return db;
}

/** Statements that EXPLAIN accepts; the others are settings, locks and tables. */
const isPlanned = (sql: string) => /^\s*(?:--.*\n\s*)*\(?\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(sql);
const isReading = (sql: string) => /^\s*\(?\s*SELECT\b/i.test(sql);

/** Every node of a plan. */
export function nodesOf(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

/** A value as a literal without a type, which the statement determines. */
function literal(value: unknown): string {
  const text = textOf(value);
  return text === null ? 'NULL' : `'${text.replaceAll("'", "''")}'`;
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) {
    const items = value.map((item) => {
      const text = textOf(item);
      return text === null ? 'NULL' : `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
    });
    return `{${items.join(',')}}`;
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
