import type { Db } from '../db/db.ts';

/** The contact of events whose contact is to be formed again from them. */
export const noContact = 0;

/**
 * Removes the sessions that name any of these SIDs, and the reasons of their segments. What is left of their events, since it is of calls that stay, becomes sessions again
 * when a process of the role recorder reads it.
 * @param db of the transaction in which the events of the erased call were removed
 */
export async function removeSessions(db: Pick<Db, 'query'>, sids: readonly string[]): Promise<void> {
  await db.query(
    'DELETE FROM segment_reasons WHERE reservation_sid = ANY($1::text[]) OR task_sid = ANY($1::text[])',
    [sids],
  );
  const found = await db.query<{ contact: number }>(
    'SELECT DISTINCT contact FROM contact_keys WHERE key = ANY($1::text[])',
    [sids],
  );
  const numbers = found.map(({ contact }) => contact);
  if (numbers.length === 0) return;
  await db.query(
    `UPDATE contact_events SET contact = ${noContact}
     WHERE contact = ANY($1::bigint[]) AND EXISTS (SELECT FROM agent_events WHERE id = event)`,
    [numbers],
  );
  for (const [table, column] of [
    ['contact_events', 'contact'],
    ['contact_keys', 'contact'],
    ['contact_reports', 'contact'],
    ['contacts', 'number'],
  ])
    await db.query(`DELETE FROM ${table} WHERE ${column} = ANY($1::bigint[])`, [numbers]);
}
