import { createHmac } from 'node:crypto';
import type { Db } from '../db/db.ts';

type Sql = Pick<Db, 'query'>;

/** Identifiers by their names in the mapping, such as `email`. */
export type Identifiers = Readonly<Record<string, unknown>>;

/**
 * Digests of identifiers, so that a customer is found again without one that is readable.
 * @param config a caller secret where the host has one, else the secret of its links: with another one each customer is a new one
 */
export function customerDigests(config: {
  callerSecret?: string;
  mediaSecret: Uint8Array;
}): (key: string) => string {
  const { callerSecret, mediaSecret } = config;
  const secret = callerSecret === undefined ? mediaSecret : Buffer.from(callerSecret, 'base64');
  return (key) => createHmac('sha256', secret).update(`connector customer ${key}`).digest('base64url');
}

export interface WantedCustomer {
  digest: string;
  identifiers: Identifiers;
  /** Its interactions have changed, so that its contact has to be sent again. */
  isChanged: boolean;
}

/**
 * Keeps customers. One that the other system has to forget is forgotten first: its state stays, and its version grows.
 * @param db of a transaction
 * @returns their numbers, by digest
 */
export async function keepCustomers(
  db: Sql,
  connector: string,
  customers: readonly WantedCustomer[],
  settleSeconds: number,
): Promise<Map<string, number>> {
  if (customers.length === 0) return new Map();
  const digests = customers.map(({ digest }) => digest);
  // In the order in which the delivery locks them.
  await db.query(
    `SELECT id FROM connector_customers WHERE connector = $1 AND digest = ANY($2::text[]) ORDER BY id FOR UPDATE`,
    [connector, digests],
  );
  const rows = await db.query<{ id: number; digest: string }>(
    `INSERT INTO connector_customers AS kept (connector, digest, wanted, due_at)
     SELECT $1, digest, wanted::jsonb, now() + $5::float8 * interval '1 second'
     FROM unnest($2::text[], $3::text[]) AS one (digest, wanted)
     ON CONFLICT (connector, digest) DO UPDATE SET wanted = excluded.wanted,
       version = kept.version + CASE WHEN kept.digest = ANY($4::text[]) THEN 1 ELSE 0 END,
       due_at = CASE WHEN kept.digest = ANY($4::text[]) AND kept.state NOT IN ('waiting', 'forget')
         THEN excluded.due_at ELSE kept.due_at END,
       attempts = CASE WHEN kept.digest = ANY($4::text[]) AND kept.state NOT IN ('waiting', 'forget') THEN 0 ELSE kept.attempts END,
       state = CASE WHEN kept.digest = ANY($4::text[]) AND kept.state <> 'forget' THEN 'waiting' ELSE kept.state END
     RETURNING id, digest`,
    [
      connector,
      digests,
      customers.map(({ identifiers }) => JSON.stringify({ identifiers })),
      customers.filter(({ isChanged }) => isChanged).map(({ digest }) => digest),
      settleSeconds,
    ],
  );
  return new Map(rows.map(({ id, digest }) => [digest, id]));
}

/** Customers that interactions have left: those without any other one go, if the other system never had them; the others are sent again. */
export async function leaveCustomers(db: Sql, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await db.query('SELECT id FROM connector_customers WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE', [
    ids,
  ]);
  await db.query(
    `DELETE FROM connector_customers c WHERE id = ANY($1::bigint[]) AND sent_version = 0 AND remote_id IS NULL AND claim IS NULL
       AND state <> 'forget' AND NOT EXISTS (SELECT FROM connector_interactions WHERE customer = c.id)`,
    [ids],
  );
  await db.query(
    `UPDATE connector_customers SET version = version + 1, state = 'waiting', due_at = now(), attempts = 0
     WHERE id = ANY($1::bigint[]) AND state <> 'forget'
       AND EXISTS (SELECT FROM connector_interactions WHERE customer = connector_customers.id)`,
    [ids],
  );
}

/** A customer whom the other system has to forget, since all interactions are erased. */
export interface Forgetting {
  id: number;
  connector: string;
  identifiers: Identifiers;
  remoteId?: string;
  /** The attributes and lists that we wrote, as the delivery keeps them. */
  remoteNames?: unknown;
  attempts: number;
}

/**
 * Claims customers to be forgotten, so that no other process takes them within `claimMs`. One whose contact is being sent has to wait:
 * its request would write again what is removed here.
 */
export async function claimForgetting(
  db: Sql,
  connector: string,
  most: number,
  claimMs: number,
): Promise<Forgetting[]> {
  const rows = await db.query<{
    id: number;
    connector: string;
    wanted: { identifiers?: Identifiers } | null;
    remote_id: string | null;
    remote_names: unknown;
    attempts: number;
  }>(
    `UPDATE connector_customers SET due_at = now() + $3::float8 * interval '1 millisecond', attempts = attempts + 1
     WHERE id IN (
       SELECT id FROM connector_customers WHERE connector = $1 AND state = 'forget' AND due_at <= now()
         AND (claimed_until IS NULL OR claimed_until < now())
       ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
     ) RETURNING id, connector, wanted, remote_id, remote_names, attempts`,
    [connector, most, claimMs],
  );
  return rows.map(({ id, connector: of, wanted, remote_id, remote_names, attempts }) => ({
    ...{ id, connector: of, attempts, identifiers: wanted?.identifiers ?? {} },
    ...(remote_id !== null && { remoteId: remote_id }),
    ...(remote_names !== null && { remoteNames: remote_names }),
  }));
}

/** The other system has forgotten it: nothing of it stays here, unless it came again since; then it is a new contact there. */
export async function forgotten(db: Db, id: number): Promise<void> {
  await db.transaction(async (inner) => {
    await inner.query('SELECT id FROM connector_customers WHERE id = $1 FOR UPDATE', [id]);
    await inner.query(
      `DELETE FROM connector_customers c WHERE id = $1 AND state = 'forget'
         AND NOT EXISTS (SELECT FROM connector_interactions WHERE customer = c.id)`,
      [id],
    );
    await inner.query(
      `UPDATE connector_customers SET state = 'waiting', due_at = now(), attempts = 0, sent_version = 0, sent_hash = NULL,
         remote_id = NULL, remote_names = NULL, error = NULL, erased_at = NULL WHERE id = $1 AND state = 'forget'`,
      [id],
    );
  });
}
