import type { Db } from '../db/db.ts';

/** Counting ends here: a number above it is one of "at least". */
export const mostCounted = 10_000;

const counted = ['waiting', 'sending', 'uncertain', 'failed'] as const;

export interface OutboxCounts {
  /** Effects that are not at their end, and dead letters; at most {@link mostCounted} of each. */
  states: Readonly<Record<(typeof counted)[number], number>>;
  /** Customers whose contact the other system refused; at most {@link mostCounted}. */
  failedContacts: number;
  /** Age of the oldest effect that is due, in ms; 0 for none. */
  oldestDueMs: number;
}

export async function countOutbox(db: Pick<Db, 'query'>, connector: string): Promise<OutboxCounts> {
  const rows = await db.query<{ state: (typeof counted)[number]; n: number }>(
    counted
      .map(
        (state) => `SELECT '${state}' AS state, count(*)::int AS n FROM (
           SELECT 1 FROM connector_effects WHERE connector = $1 AND state = '${state}' LIMIT ${mostCounted}
         ) ${state}`,
      )
      .join(' UNION ALL '),
    [connector],
  );
  const [contacts] = await db.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM (
       SELECT 1 FROM connector_customers WHERE connector = $1 AND state = 'failed' LIMIT ${mostCounted}
     ) failed`,
    [connector],
  );
  const oldestOf = (kind: string) =>
    `(SELECT due_at FROM connector_effects WHERE connector = $1 AND state = 'waiting' AND ${kind} ORDER BY due_at LIMIT 1)`;
  const [oldest] = await db.query<{ ms: number | null }>(
    `SELECT (extract(epoch FROM now() - least(${oldestOf('NOT is_history')}, ${oldestOf('is_history')})) * 1000)::float8 AS ms`,
    [connector],
  );
  const of = (state: string) => rows.find((row) => row.state === state)?.n ?? 0;
  return {
    states: {
      waiting: of('waiting'),
      sending: of('sending'),
      uncertain: of('uncertain'),
      failed: of('failed'),
    },
    failedContacts: contacts?.n ?? 0,
    oldestDueMs: Math.max(0, oldest?.ms ?? 0),
  };
}

/** Which dead letters: all, or those of these ids. */
export type Which = 'all' | readonly number[];

/**
 * Sets dead letters waiting again, and the contacts that were refused with them; of `all` every contact that was refused. Those whose
 * interaction was erased stay.
 * @returns how many effects wait now, and contacts without one
 */
export async function retryFailed(db: Db, connector: string, which: Which): Promise<number> {
  const ids = which === 'all' ? null : [...which];
  const effects = await inSteps(() => retrySome(db, connector, ids));
  return effects + (ids === null ? await inSteps(() => retryContacts(db, connector)) : 0);
}

async function inSteps(step: () => Promise<number>): Promise<number> {
  let total = 0;
  for (;;) {
    const found = await step();
    total += found;
    if (found < mostOfStep) return total;
  }
}

const waitingAgain = `state = 'waiting', due_at = now(), attempts = 0, error = NULL`;

async function retryContacts(db: Db, connector: string): Promise<number> {
  const rows = await db.query<object>(
    `UPDATE connector_customers SET ${waitingAgain}
     WHERE id IN (
       SELECT id FROM connector_customers WHERE connector = $1 AND state = 'failed'
       ORDER BY id LIMIT ${mostOfStep} FOR UPDATE SKIP LOCKED
     ) RETURNING id`,
    [connector],
  );
  return rows.length;
}

const mostOfStep = 1_000;

const retrySome = (db: Db, connector: string, ids: readonly number[] | null): Promise<number> =>
  db.transaction(async (inner) => {
    const rows = await inner.query<{ customer: number | null }>(
      `UPDATE connector_effects SET ${waitingAgain}
       WHERE id IN (
         SELECT e.id FROM connector_effects e
         WHERE e.connector = $1 AND e.state = 'failed' AND ($2::bigint[] IS NULL OR e.id = ANY($2::bigint[]))
           AND EXISTS (
             SELECT FROM connector_interactions i WHERE i.custody_id = e.custody_id AND i.interaction IS NOT NULL
           )
         ORDER BY e.id LIMIT ${mostOfStep} FOR UPDATE OF e SKIP LOCKED
       ) RETURNING customer`,
      [connector, ids],
    );
    const customers = [...new Set(rows.flatMap(({ customer }) => customer ?? []))];
    await inner.query(
      `UPDATE connector_customers SET ${waitingAgain}
       WHERE id IN (
         SELECT id FROM connector_customers WHERE id = ANY($1::bigint[]) AND state = 'failed' ORDER BY id FOR UPDATE
       )`,
      [customers],
    );
    return rows.length;
  });
