import type { Db } from '../db/db.ts';
import type { Trigger } from './interaction.ts';
import type { EffectPlan, KnownEffect } from './plan.ts';

type Sql = Pick<Db, 'query'>;

/** An effect waits at most so many times the time to settle, however often its contact changes. */
const mostSettles = 10;

interface Row {
  id: number;
  custody_id: string;
  trigger: Trigger;
  customer: number | null;
  state: string;
  happened_at: Date;
  is_history: boolean;
}

/** The effects of these interactions. Until the transaction ends, nothing else changes them. */
export async function effectsOf(
  db: Sql,
  connector: string,
  custodyIds: readonly string[],
): Promise<KnownEffect[]> {
  const rows = await db.query<Row>(
    `SELECT id, custody_id, trigger, customer, state, happened_at, is_history FROM connector_effects
     WHERE connector = $1 AND custody_id = ANY($2::uuid[]) ORDER BY id FOR UPDATE`,
    [connector, custodyIds],
  );
  return rows.map(({ id, custody_id, trigger, customer, state, happened_at, is_history }) => ({
    ...{ id, custodyId: custody_id, trigger, state, isHistory: is_history },
    ...(customer !== null && { customer }),
    happenedAt: happened_at.getTime(),
  }));
}

/** Writes a plan. @param settleSeconds how long an effect waits for late events */
export async function writePlan(
  db: Sql,
  connector: string,
  { added, moved, dropped }: EffectPlan,
  settleSeconds: number,
): Promise<void> {
  if (added.length > 0)
    await db.query(
      `INSERT INTO connector_effects (connector, custody_id, trigger, customer, happened_at, is_history, due_at)
       SELECT $1, custody_id, trigger, customer, to_timestamp(at / 1000), history, now() + $7::float8 * interval '1 second'
       FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::float8[], $6::boolean[])
         AS one (custody_id, trigger, customer, at, history)
       ON CONFLICT (connector, custody_id, trigger) DO NOTHING`,
      [
        connector,
        added.map(({ custodyId }) => custodyId),
        added.map(({ trigger }) => trigger),
        added.map(({ customer }) => customer),
        added.map(({ happenedAt }) => happenedAt),
        added.map(({ isHistory }) => isHistory),
        settleSeconds,
      ],
    );
  if (moved.length > 0)
    // A try that was not taken waits for its own time, and nothing is due before it was.
    await db.query(
      `UPDATE connector_effects SET customer = one.customer, happened_at = to_timestamp(one.at / 1000),
         is_history = one.history, state = 'waiting',
         planned_at = CASE WHEN revived THEN now() ELSE planned_at END,
         attempts = CASE WHEN revived THEN 0 ELSE attempts END, error = CASE WHEN revived THEN NULL ELSE error END,
         due_at = CASE WHEN revived THEN now() + $6::float8 * interval '1 second'
           WHEN attempts > 0 THEN due_at
           ELSE greatest(due_at, least(now(), planned_at + ($6::float8 * ${mostSettles - 1}) * interval '1 second')
             + $6::float8 * interval '1 second') END
       FROM unnest($1::bigint[], $2::bigint[], $3::float8[], $4::boolean[], $5::boolean[])
         AS one (id, customer, at, history, revived)
       WHERE connector_effects.id = one.id AND state IN ('waiting', 'dropped')`,
      [
        moved.map(({ id }) => id),
        moved.map(({ customer }) => customer),
        moved.map(({ happenedAt }) => happenedAt),
        moved.map(({ isHistory }) => isHistory),
        moved.map(({ isRevived }) => isRevived),
        settleSeconds,
      ],
    );
  if (dropped.length > 0)
    await db.query(
      `UPDATE connector_effects SET state = 'dropped' WHERE id = ANY($1::bigint[]) AND state = 'waiting'`,
      [dropped],
    );
}
