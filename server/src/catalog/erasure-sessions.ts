import type { RecordingSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';
import { shortReason } from './erasure-traces.ts';

/** The contact of events whose contact is to be formed again from them, and of keys that tie nothing. */
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
  // A key of no contact is one that ties nothing; those of a contact that takes no more events have its negative number.
  const found = await db.query<{ contact: number }>(
    'SELECT DISTINCT abs(contact) AS contact FROM contact_keys WHERE key = ANY($1::text[])',
    [sids],
  );
  await db.query(`DELETE FROM contact_keys WHERE key = ANY($1::text[]) AND contact = ${noContact}`, [sids]);
  const numbers = found.map(({ contact }) => contact).filter((number) => number !== noContact);
  if (numbers.length === 0) return;
  await db.query(
    `UPDATE contact_events SET contact = ${noContact}
     WHERE contact = ANY($1::bigint[]) AND EXISTS (SELECT FROM agent_events WHERE id = event)`,
    [numbers],
  );
  await db.query('DELETE FROM contact_keys WHERE contact = ANY($1::bigint[])', [
    numbers.flatMap((number) => [number, -number]),
  ]);
  for (const [table, column] of [
    ['contact_events', 'contact'],
    ['contact_reports', 'contact'],
    ['contacts', 'number'],
  ])
    await db.query(`DELETE FROM ${table} WHERE ${column} = ANY($1::bigint[])`, [numbers]);
}

/**
 * Notes the certificate in the session of a recording that is erased since its call was short.
 * @param db of the transaction in which the recording is erased afterwards
 */
export async function noteShort(
  db: Pick<Db, 'query'>,
  sid: RecordingSid,
  certificate: string,
): Promise<void> {
  // The lock waits for a process that makes one session of two: the next statement then sees the one that is left.
  const [found] = await db.query<{ contact: number }>(
    `SELECT contact FROM contact_keys WHERE key = (
       SELECT intent->'session'->>'id' FROM recordings WHERE recording_sid = $1 AND intent->>'reason' = '${shortReason}'
     ) FOR UPDATE`,
    [sid],
  );
  if (!found) return;
  await db.query(
    `UPDATE contacts SET short_certificates = array_append(short_certificates, $2::uuid)
     WHERE number = $1 AND NOT $2::uuid = ANY(short_certificates)`,
    [found.contact, certificate],
  );
}
