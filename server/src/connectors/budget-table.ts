import type { Db } from '../db/db.ts';
import type { Correction, Known } from './reports.ts';
import { burstOf, type Grant, intervalOf, type LimitClass } from './turns.ts';

/** Undefined: the database's own. Tests state another time. */
export type Clock = Date | undefined;

/** `now` is what the clock said, and like all times of a grant in ms. */
export type Taken = Grant & Known & { now: number };

interface Row {
  now: number;
  next_at: number;
  paused_until: number | null;
  interval_ms: number;
  limit_of_window: number | null;
  remaining: number | null;
  resets_at: number | null;
}

/** Not now(): a statement that waited for the row would have an old one. */
const clockOr = (value: string) => `coalesce(${value}::timestamptz, clock_timestamp())`;
const after = (value: string) => `${value}::float8 * interval '1 millisecond'`;
const inMs = (value: string, name: string) => `(extract(epoch FROM ${value}) * 1000)::float8 AS ${name}`;

export async function addBudget(db: Db, name: string, clock: Clock): Promise<void> {
  await db.routine(
    `INSERT INTO request_budgets (name, next_at) VALUES ($1, ${clockOr('$2')}) ON CONFLICT (name) DO NOTHING`,
    [name, clock ?? null],
  );
}

const isOpen = `resets_at > ${clockOr('$2')}`;
const isUsedUp = `${isOpen} AND remaining < $4::integer`;
const interval = 'greatest(coalesce(interval_ms, $5::float8), $6::float8)';

/**
 * Takes turns. Where fewer remain in the window than are asked for, all of them wait for the next one.
 * @param leadMs none of them begins sooner: the answer must be here by then
 * @returns undefined where the class has no row
 */
export async function takeTurns(
  db: Db,
  of: LimitClass,
  { count, leadMs, clock }: { count: number; leadMs: number; clock: Clock },
): Promise<Taken | undefined> {
  const [row] = await db.routine<Row>(
    `UPDATE request_budgets SET
       next_at = ${after(`$4::integer * ${interval}`)} + greatest(next_at, ${clockOr('$2')} + ${after('$3')},
         paused_until, CASE WHEN ${isUsedUp} THEN resets_at END),
       paused_until = greatest(paused_until, CASE WHEN ${isUsedUp} THEN resets_at END),
       remaining = CASE WHEN ${isOpen} AND remaining >= $4::integer THEN remaining - $4::integer END,
       resets_at = CASE WHEN ${isOpen} AND remaining >= $4::integer THEN resets_at END
     WHERE name = $1
     RETURNING ${inMs(clockOr('$2'), 'now')}, ${inMs('next_at', 'next_at')}, ${inMs('paused_until', 'paused_until')},
       ${interval} AS interval_ms, limit_of_window, remaining, ${inMs('resets_at', 'resets_at')}`,
    [of.name, clock ?? null, leadMs, count, intervalOf(of), intervalOf(of, of.most)],
  );
  if (!row) return undefined;
  const limit = row.limit_of_window ?? undefined;
  return {
    now: row.now,
    nextAt: row.next_at,
    notBefore: Math.max(row.now + leadMs, row.paused_until ?? 0),
    count,
    intervalMs: row.interval_ms,
    burst: burstOf(of, limit),
    limit,
    remaining: row.remaining ?? undefined,
    resetsAt: row.resets_at ?? undefined,
  };
}

/** A window that ends within some seconds of the known one is the same one. */
const isSame = `abs(extract(epoch FROM resets_at - (${clockOr('$2')} + ${after('$6')}))) < 5`;

export async function correctBudget(
  db: Db,
  of: LimitClass,
  { limit, left }: Correction,
  clock: Clock,
): Promise<void> {
  await db.routine(
    `UPDATE request_budgets SET
       limit_of_window = coalesce($3::float8, limit_of_window),
       interval_ms = coalesce($4::float8, interval_ms),
       remaining = CASE WHEN $5::integer IS NULL THEN remaining
         WHEN ${isSame} THEN least(remaining, $5::integer) ELSE $5::integer END,
       resets_at = CASE WHEN $5::integer IS NULL THEN resets_at
         WHEN ${isSame} THEN resets_at ELSE ${clockOr('$2')} + ${after('$6')} END
     WHERE name = $1`,
    [
      of.name,
      clock ?? null,
      limit ?? null,
      limit === undefined ? null : intervalOf(of, limit),
      left?.count ?? null,
      left?.forMs ?? 0,
    ],
  );
}

export async function pauseBudget(db: Db, name: string, forMs: number, clock: Clock): Promise<void> {
  await db.routine(
    `UPDATE request_budgets SET paused_until = greatest(paused_until, ${clockOr('$2')} + ${after('$3')})
     WHERE name = $1`,
    [name, clock ?? null, forMs],
  );
}

/** Gives back turns that nothing waits for any longer, if they are still the last ones that were taken. */
export async function returnTurns(db: Db, of: LimitClass, taken: Taken, count: number): Promise<void> {
  await db.routine(
    `UPDATE request_budgets SET next_at = next_at - ${after('$3')}
     WHERE name = $1 AND abs(extract(epoch FROM next_at) * 1000 - $2::float8) < 0.5`,
    [of.name, taken.nextAt, count * taken.intervalMs],
  );
}
