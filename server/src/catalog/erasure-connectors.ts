import type { Db } from '../db/db.ts';

/**
 * Removes what connectors keep of the calls that any of these SIDs names: interactions, effects and changes. A customer who has other
 * interactions is sent again, without these; another one is to be forgotten by the other system: until then its identifiers stay.
 * What was never sent goes at once.
 * @param db of the transaction in which the sessions were removed
 */
export async function eraseInteractions(db: Pick<Db, 'query'>, sids: readonly string[]): Promise<void> {
  const gone = await db.query<{ custody_id: string; customer: number | null; contact: number | null }>(
    'DELETE FROM connector_interactions WHERE sids && $1::text[] RETURNING custody_id, customer, contact',
    [sids],
  );
  if (gone.length === 0) return;
  await db.query('DELETE FROM connector_effects WHERE custody_id = ANY($1::uuid[])', [
    gone.map(({ custody_id }) => custody_id),
  ]);
  const contacts = gone.flatMap(({ contact }) => contact ?? []);
  await db.query('DELETE FROM connector_changes WHERE contact = ANY($1::bigint[])', [contacts]);
  const customers = [...new Set(gone.flatMap(({ customer }) => customer ?? []))];
  await db.query('SELECT id FROM connector_customers WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE', [
    customers,
  ]);
  await db.query(
    `DELETE FROM connector_customers c WHERE id = ANY($1::bigint[]) AND sent_version = 0 AND remote_id IS NULL AND claim IS NULL
       AND NOT EXISTS (SELECT FROM connector_interactions WHERE customer = c.id)`,
    [customers],
  );
  // A claim that is under way may send what is erased now: its end is waited for, and what it would write is refused.
  await db.query(
    `UPDATE connector_customers c SET state = 'forget', erased_at = now(), claim = NULL, attempts = 0, error = NULL,
       due_at = greatest(now(), claimed_until)
     WHERE id = ANY($1::bigint[]) AND NOT EXISTS (SELECT FROM connector_interactions WHERE customer = c.id)`,
    [customers],
  );
  await db.query(
    `UPDATE connector_customers c SET version = version + 1, state = 'waiting', attempts = 0, due_at = now()
     WHERE id = ANY($1::bigint[]) AND state <> 'forget'
       AND EXISTS (SELECT FROM connector_interactions WHERE customer = c.id)`,
    [customers],
  );
}
