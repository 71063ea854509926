import type { Db } from '../db/db.ts';
import { type BeginTry, beginTries } from './outbox-table.ts';

/** With so many no new event is sent before looks have found room: each look is dear. */
export const mostUncertain = 10;
/** Events of the past that may be under way or uncertain at once: one batch, which looks by name settle together. */
export const mostUncertainHistory = 200;
/** Of one look. */
const mostLooked = 200;
/** Until another process may look for the same effects, ms. */
const lookMs = 2 * 60_000;

/** An effect whose request may have been taken. */
export interface UncertainEffect {
  id: number;
  custodyId: string;
  eventName: string;
  /** As it was sent. */
  eventAt: Date;
  isHistory: boolean;
  remoteId?: string;
  /** Complete looks that missed it. */
  looks: number;
  /** Since the end of its try. */
  sinceMs: number;
}

/** Tries whose end has passed: their process was killed, or its result could not be written. */
export async function expireTries(db: Pick<Db, 'query'>, connector: string): Promise<void> {
  await db.query(
    `UPDATE connector_effects SET state = 'uncertain', due_at = now(), attempts = attempts + 1
     WHERE id IN (
       SELECT id FROM connector_effects WHERE connector = $1 AND state = 'sending' AND try_until < now()
       ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED
     )`,
    [connector],
  );
}

/** How many events may be begun; those of the past have a room of their own, so that a batch that was cut off delays no live one. */
export interface UncertainRoom {
  live: number;
  history: number;
}

export async function uncertainRoom(db: Pick<Db, 'query'>, connector: string): Promise<UncertainRoom> {
  const [row] = await db.query<UncertainRoom>(
    `SELECT ${mostUncertain} - (SELECT count(*)::int FROM (
         SELECT 1 FROM connector_effects WHERE connector = $1 AND state = 'uncertain' AND NOT is_history
         LIMIT ${mostUncertain}
       ) live) AS live,
       greatest(0, ${mostUncertainHistory} - (SELECT count(*)::int FROM (
         (SELECT 1 FROM connector_effects WHERE connector = $1 AND state = 'uncertain' AND is_history
          LIMIT ${mostUncertainHistory})
         UNION ALL
         (SELECT 1 FROM connector_effects WHERE connector = $1 AND state = 'sending' AND is_history
          LIMIT ${mostUncertainHistory})
       ) past)) AS history`,
    [connector],
  );
  return row ?? { live: 0, history: 0 };
}

/** Any number that no other lock of this database has. */
const lockNumber = 4_100_190_003;

/**
 * {@link beginTries} for events of the past, as many as there is room for: several processes have one room.
 * @returns ids of those that may be sent; `room`: how many of the first ones were asked for
 */
export const beginBatch = (
  db: Db,
  connector: string,
  tries: readonly BeginTry[],
  attempt: string,
): Promise<{ ids: Set<number>; room: number }> =>
  db.transaction(async (inner) => {
    await inner.query('SELECT pg_advisory_xact_lock($1)', [lockNumber]);
    const { history: room } = await uncertainRoom(inner, connector);
    const ids = room === 0 ? new Set<number>() : await beginTries(inner, tries.slice(0, room), attempt);
    return { ids, room };
  });

/** Whether one has been uncertain for longer than so many ms. */
export async function isUncertainFor(db: Pick<Db, 'query'>, connector: string, ms: number): Promise<boolean> {
  const rows = await db.query<object>(
    `SELECT 1 FROM connector_effects
     WHERE connector = $1 AND state = 'uncertain' AND try_until < now() - $2 * interval '1 millisecond' LIMIT 1`,
    [connector, ms],
  );
  return rows.length > 0;
}

/** Claims those that a look is due for. */
export async function claimLooks(db: Pick<Db, 'query'>, connector: string): Promise<UncertainEffect[]> {
  const rows = await db.query<{
    id: number;
    custody_id: string;
    event_name: string;
    event_at: Date;
    is_history: boolean;
    remote_id: string | null;
    looked_up: number;
    since_ms: number;
  }>(
    `UPDATE connector_effects SET due_at = now() + $2 * interval '1 millisecond'
     WHERE id IN (
       SELECT id FROM connector_effects WHERE connector = $1 AND state = 'uncertain' AND due_at <= now()
       ORDER BY due_at LIMIT ${mostLooked} FOR UPDATE SKIP LOCKED
     )
     RETURNING id, custody_id, event_name, event_at, is_history, remote_id, looked_up,
       (extract(epoch FROM now() - try_until) * 1000)::float8 AS since_ms`,
    [connector, lookMs],
  );
  return rows.map((row) => ({
    ...{ id: row.id, custodyId: row.custody_id, eventName: row.event_name, eventAt: row.event_at },
    isHistory: row.is_history,
    ...(row.remote_id && { remoteId: row.remote_id }),
    ...{ looks: row.looked_up, sinceMs: row.since_ms },
  }));
}

export interface LookResult {
  id: number;
  state: 'sent' | 'waiting' | 'uncertain';
  looks: number;
  /** Until the next look, or try. */
  dueInMs: number;
}

/** What has been erased meanwhile is not sent again. */
export async function endLooks(db: Pick<Db, 'query'>, results: readonly LookResult[]): Promise<void> {
  if (results.length === 0) return;
  await db.query(
    `WITH r AS (
       SELECT * FROM unnest($1::bigint[], $2::text[], $3::int[], $4::float8[]) AS r (id, state, looks, due_in)
     ), held AS (
       SELECT e.id FROM connector_effects e JOIN r ON r.id = e.id WHERE e.state = 'uncertain'
       ORDER BY e.id FOR UPDATE OF e
     )
     UPDATE connector_effects e SET state = r.state, looked_up = r.looks,
       due_at = now() + r.due_in * interval '1 millisecond',
       sent_at = CASE r.state WHEN 'sent' THEN now() END,
       try = CASE r.state WHEN 'uncertain' THEN e.try END,
       try_until = CASE r.state WHEN 'uncertain' THEN e.try_until END
     FROM held JOIN r ON r.id = held.id WHERE e.id = held.id`,
    [
      results.map(({ id }) => id),
      results.map(({ state }) => state),
      results.map(({ looks }) => looks),
      results.map(({ dueInMs }) => dueInMs),
    ],
  );
}
