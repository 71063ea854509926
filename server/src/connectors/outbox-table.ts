import { randomUUID } from 'node:crypto';
import type { Db } from '../db/db.ts';
import type { AfterTry, Fault } from './effect-state.ts';
import type { Interaction, Trigger } from './interaction.ts';

export interface DueEffect {
  id: number;
  custodyId: string;
  trigger: Trigger;
  isHistory: boolean;
  attempts: number;
  /** Undefined once it is erased. */
  interaction?: Interaction;
}

/** What the other system has of a customer by us. `dropped` names identifiers that were left out. */
export interface RemoteNames {
  attributes: readonly string[];
  lists: readonly number[];
  dropped?: readonly string[];
}

/** A customer of whom something is due, with a claim of this process until the claim ends. */
export interface DueCustomer {
  id: number;
  claim: string;
  version: number;
  sentVersion: number;
  sentHash?: string;
  remoteId?: string;
  remoteNames?: RemoteNames;
  attempts: number;
  /** Of the version that could not be sent yet, or for good. */
  error?: Fault & { version: number; state: 'waiting' | 'failed' | 'dropped' };
  /** Those that are not erased, the oldest first; at most {@link mostInteractions}. */
  interactions: readonly Interaction[];
  /** In the order in which they happened. */
  effects: readonly DueEffect[];
}

/** What a customer's row becomes; `sentVersion` is that of the contact that the other system has now. */
export interface CustomerResult {
  id: number;
  claim: string;
  state: 'sent' | 'waiting' | 'failed' | 'dropped';
  dueInMs: number;
  attempts: number;
  sentVersion: number;
  sentHash?: string;
  remoteId?: string;
  remoteNames?: RemoteNames;
  error?: Fault & { version: number; state: string };
}

/** A try of an effect that is about to be sent. */
export interface BeginTry {
  id: number;
  custodyId: string;
  eventName: string;
  eventAt: Date;
  remoteId?: string;
}

export type EffectResult = AfterTry & { id: number };

/** A contact is made of so many of the customer's latest interactions. */
export const mostInteractions = 20;
/** Effects of one customer in one claim. */
const mostEffects = 50;
/** How long a claim lasts, and how long a try may last; ms. */
export const claimMs = 120_000;
export const tryMs = 60_000;

interface CustomerRow {
  id: number;
  version: number;
  sent_version: number;
  sent_hash: string | null;
  remote_id: string | null;
  remote_names: RemoteNames | null;
  attempts: number;
  error: DueCustomer['error'] | null;
}

interface EffectRow {
  id: number;
  customer: number;
  custody_id: string;
  trigger: Trigger;
  is_history: boolean;
  attempts: number;
  interaction: Interaction | null;
}

const ms = (value: string) => `${value} * interval '1 millisecond'`;

/** Which effects a claim takes: none of a kind whose events may not be sent now. */
export interface Take {
  live: boolean;
  history: boolean;
}

/**
 * Claims customers of whom a contact or an effect is due. No other process takes them or their effects before the claim ends.
 * Live effects come first, and those of an import of the past last, however long these have been due.
 */
export function claimDue(
  db: Db,
  connector: string,
  most: number,
  take: Take = { live: true, history: true },
): Promise<DueCustomer[]> {
  const claim = randomUUID();
  return db.transaction(async (inner) => {
    const rows = await inner.query<CustomerRow>(
      `WITH due AS (
         (SELECT customer AS id, 0 AS rank FROM connector_effects
          WHERE connector = $1 AND state = 'waiting' AND NOT is_history AND due_at <= now() AND $4::boolean
          ORDER BY due_at LIMIT 4 * $2::int)
         UNION ALL
         (SELECT id, 1 FROM connector_customers
          WHERE connector = $1 AND state = 'waiting' AND due_at <= now() ORDER BY due_at LIMIT 2 * $2::int)
         UNION ALL
         (SELECT customer, 2 FROM connector_effects
          WHERE connector = $1 AND state = 'waiting' AND is_history AND due_at <= now() AND $6::boolean
          ORDER BY due_at LIMIT 4 * $2::int)
       ), ranked AS (
         SELECT id, min(rank) AS rank FROM due GROUP BY id
       ), free AS (
         SELECT c.id FROM ranked JOIN connector_customers c ON c.id = ranked.id
         WHERE c.state <> 'forget' AND (c.claimed_until IS NULL OR c.claimed_until < now())
         ORDER BY ranked.rank, c.id LIMIT $2::int FOR UPDATE OF c SKIP LOCKED
       )
       UPDATE connector_customers c SET claim = $3, claimed_until = now() + ${ms('$5')},
         due_at = greatest(c.due_at, now() + ${ms('$5')})
       FROM free WHERE c.id = free.id
       RETURNING c.id, c.version, c.sent_version, c.sent_hash, c.remote_id, c.remote_names, c.attempts, c.error`,
      [connector, most, claim, take.live, claimMs, take.history],
    );
    if (rows.length === 0) return [];
    const ids = rows.map(({ id }) => id);
    const effects = take.live || take.history ? await claimEffects(inner, ids, take) : [];
    const interactions = await inner.query<{ customer: number; interaction: Interaction }>(
      `SELECT i.customer, i.interaction FROM unnest($1::bigint[]) AS of (id) CROSS JOIN LATERAL (
         SELECT customer, opened_at, interaction FROM connector_interactions
         WHERE customer = of.id AND interaction IS NOT NULL
         ORDER BY opened_at DESC LIMIT ${mostInteractions}
       ) i ORDER BY i.opened_at`,
      [ids],
    );
    return rows.map((row) => ({
      ...customerOf(row, claim),
      interactions: interactions
        .filter(({ customer }) => customer === row.id)
        .map(({ interaction }) => interaction),
      effects: effects.filter(({ customer }) => customer === row.id).map(effectOf),
    }));
  });
}

/**
 * Another claim does not find them before this one ends; the order is that in which they happened. Those that are due within a
 * second come along, so that what waits behind a failed try is not sent before it.
 */
const claimEffects = (db: Db, customers: readonly number[], take: Take) =>
  db.query<EffectRow>(
    `WITH found AS (
       SELECT e.id FROM unnest($1::bigint[]) AS of (id) CROSS JOIN LATERAL (
         SELECT id FROM connector_effects
         WHERE customer = of.id AND state = 'waiting' AND due_at <= now() + interval '1 second'
           AND CASE WHEN is_history THEN $4::boolean ELSE $3::boolean END
         ORDER BY due_at LIMIT ${mostEffects}
       ) e
     ), held AS (
       SELECT id FROM connector_effects WHERE id IN (SELECT id FROM found) AND state = 'waiting'
       ORDER BY id FOR UPDATE SKIP LOCKED
     ), taken AS (
       UPDATE connector_effects e SET due_at = now() + ${ms('$2')} FROM held WHERE e.id = held.id
       RETURNING e.id, e.customer, e.custody_id, e.trigger, e.is_history, e.attempts, e.happened_at
     )
     SELECT taken.*, i.interaction FROM taken LEFT JOIN connector_interactions i USING (custody_id)
     ORDER BY taken.happened_at, taken.id`,
    [customers, claimMs, take.live, take.history],
  );

const customerOf = (row: CustomerRow, claim: string) => ({
  ...{ id: row.id, claim, version: row.version, sentVersion: row.sent_version, attempts: row.attempts },
  ...(row.sent_hash && { sentHash: row.sent_hash }),
  ...(row.remote_id && { remoteId: row.remote_id }),
  ...(row.remote_names && { remoteNames: row.remote_names }),
  ...(row.error && { error: row.error }),
});

const effectOf = (row: EffectRow): DueEffect => ({
  ...{ id: row.id, custodyId: row.custody_id, trigger: row.trigger },
  ...{ isHistory: row.is_history, attempts: row.attempts },
  ...(row.interaction && { interaction: row.interaction }),
});

/**
 * Notes that these effects are about to be sent. What another process has taken, what no longer applies and what was erased
 * since it was claimed is left out.
 * @returns the ids of those that may be sent, until {@link tryMs} are over
 */
export async function beginTries(db: Db, tries: readonly BeginTry[], attempt: string): Promise<Set<number>> {
  const rows = await db.query<{ id: number }>(
    `WITH wanted AS (
       SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::timestamptz[], $5::text[])
         AS w (id, custody_id, event_name, event_at, remote_id)
     ), held AS (
       SELECT e.id FROM connector_effects e JOIN wanted w ON w.id = e.id AND w.custody_id = e.custody_id
       WHERE e.state = 'waiting' AND EXISTS (
         SELECT FROM connector_interactions i WHERE i.custody_id = e.custody_id AND i.interaction IS NOT NULL
       )
       ORDER BY e.id FOR UPDATE OF e
     )
     UPDATE connector_effects e SET state = 'sending', try = $6, try_until = now() + ${ms('$7')},
       event_name = w.event_name, event_at = w.event_at, remote_id = w.remote_id, looked_up = 0
     FROM held JOIN wanted w ON w.id = held.id WHERE e.id = held.id RETURNING e.id`,
    [
      tries.map(({ id }) => id),
      tries.map(({ custodyId }) => custodyId),
      tries.map(({ eventName }) => eventName),
      tries.map(({ eventAt }) => eventAt),
      tries.map(({ remoteId }) => remoteId ?? null),
      ...[attempt, tryMs],
    ],
  );
  return new Set(rows.map(({ id }) => id));
}

/**
 * Writes what became of effects that this process has claimed.
 * @param tries of the effects that were being sent, by id: what another process has decided since then stays
 */
export async function endTries(
  db: Db,
  results: readonly EffectResult[],
  tries: ReadonlyMap<number, string> = new Map(),
): Promise<void> {
  if (results.length === 0) return;
  await db.query(
    `WITH r AS (
       SELECT * FROM unnest($1::bigint[], $2::text[], $3::float8[], $4::int[], $5::jsonb[], $6::uuid[])
         AS r (id, state, due_in, attempts, error, try)
     ), held AS (
       SELECT e.id FROM connector_effects e JOIN r ON r.id = e.id
       WHERE CASE WHEN r.try IS NULL THEN e.state = 'waiting' ELSE e.state IN ('sending', 'uncertain') AND e.try = r.try END
       ORDER BY e.id FOR UPDATE OF e
     )
     UPDATE connector_effects e SET state = r.state, due_at = now() + ${ms('r.due_in')}, attempts = r.attempts,
       error = r.error, try_until = CASE r.state WHEN 'uncertain' THEN now() END,
       try = CASE r.state WHEN 'uncertain' THEN e.try END,
       sent_at = CASE r.state WHEN 'sent' THEN now() ELSE e.sent_at END
     FROM held JOIN r ON r.id = held.id WHERE e.id = held.id`,
    [
      results.map(({ id }) => id),
      results.map(({ state }) => state),
      results.map(({ dueInMs }) => dueInMs),
      results.map(({ attempts }) => attempts),
      results.map(({ error }) => (error ? JSON.stringify(error) : null)),
      results.map(({ id }) => tries.get(id) ?? null),
    ],
  );
}

/**
 * Writes what became of customers and ends their claims. What has changed since it was claimed is due at once; what was erased since
 * is forgotten with what this claim has written there.
 */
export async function endClaims(db: Db, results: readonly CustomerResult[]): Promise<void> {
  if (results.length === 0) return;
  await db.query(
    `WITH r AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS r (id bigint, claim uuid, state text, "dueInMs" float8,
         attempts int, "sentVersion" bigint, "sentHash" text, "remoteId" text, "remoteNames" jsonb, error jsonb)
     ), held AS (
       SELECT c.id, c.state = 'forget' AS "isErased",
         c.version > coalesce((r.error->>'version')::bigint, r."sentVersion") AND r.state <> 'waiting' AS "hasMore"
       FROM connector_customers c JOIN r ON r.id = c.id AND r.claim = c.claim ORDER BY c.id FOR UPDATE OF c
     )
     UPDATE connector_customers c SET
       state = CASE WHEN "isErased" THEN c.state WHEN "hasMore" THEN 'waiting' ELSE r.state END,
       due_at = now() + CASE WHEN "isErased" OR "hasMore" THEN 0 ELSE r."dueInMs" END * interval '1 millisecond',
       attempts = r.attempts, sent_version = r."sentVersion", sent_hash = r."sentHash",
       remote_id = coalesce(r."remoteId", c.remote_id), remote_names = r."remoteNames", error = r.error,
       claim = NULL, claimed_until = NULL
     FROM held JOIN r ON r.id = held.id WHERE c.id = held.id`,
    [JSON.stringify(results)],
  );
}
