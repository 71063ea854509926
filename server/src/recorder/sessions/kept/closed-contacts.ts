import { noContact } from '../../../catalog/erasure-sessions.ts';
import type { Db } from '../../../db/db.ts';
import { canBeGeneral } from '../facts/general-keys.ts';
import { readContacts, writeContacts } from './contacts-table.ts';

type Sql = Pick<Db, 'query'>;

/**
 * Closes contacts to more events: each of their keys is kept with the negative number of its contact, so that an erasure
 * finds it, and ties nothing.
 */
export async function closeContacts(db: Sql, numbers: readonly number[]): Promise<void> {
  if (numbers.length === 0) return;
  await db.query('UPDATE contact_keys SET contact = -contact WHERE contact = ANY($1::bigint[])', [numbers]);
}

/** Marks contacts that take no more events, and ends those that are open. @param at epoch ms */
export async function markOverfull(db: Sql, numbers: readonly number[], at: number): Promise<void> {
  if (numbers.length === 0) return;
  const kept = await readContacts(db, numbers);
  await writeContacts(
    db,
    kept.map(({ number, contact }) => ({
      number,
      contact: {
        ...contact,
        closedAt: contact.closedAt ?? Math.max(at, contact.openedAt),
        marks: [...contact.marks, 'overfull' as const],
      },
    })),
  );
}

/** Which of these keys tie nothing since too many tasks name them. */
export async function generalAmong(db: Sql, keys: readonly string[]): Promise<Set<string>> {
  const rows = await db.query<{ key: string }>(
    `SELECT key FROM contact_keys WHERE key = ANY($1::text[]) AND contact = ${noContact}`,
    [[...new Set(keys.filter(canBeGeneral))]],
  );
  return new Set(rows.map(({ key }) => key));
}

/**
 * Takes contacts apart that only keys of too many tasks tied: their events become contacts without those keys in the next
 * batches. What policies reported of them is kept until {@link looseReports} has it.
 * @param db of a transaction
 */
export async function takeApart(
  db: Sql,
  numbers: readonly number[],
  general: readonly string[],
): Promise<void> {
  if (numbers.length === 0) return;
  await db.query(`UPDATE contact_keys SET contact = ${noContact} WHERE key = ANY($1::text[])`, [general]);
  await db.query(`UPDATE contact_events SET contact = ${noContact} WHERE contact = ANY($1::bigint[])`, [
    numbers,
  ]);
  await db.query(
    `WITH gone AS (DELETE FROM contact_reports WHERE contact = ANY($1::bigint[]) RETURNING code, since, subject, resolved)
     INSERT INTO contact_reports (contact, code, since, subject, resolved)
     SELECT ${noContact}, code, since, subject, resolved FROM gone WHERE NOT resolved ON CONFLICT DO NOTHING`,
    [numbers],
  );
  await db.query('DELETE FROM contact_keys WHERE contact = ANY($1::bigint[])', [numbers]);
  await db.query('DELETE FROM contacts WHERE number = ANY($1::bigint[])', [numbers]);
}

/** Subjects of reports whose contacts were taken apart, and that no other contact has reported since. */
export async function looseReports(db: Sql): Promise<string[]> {
  const rows = await db.query<{ subject: string }>(
    `SELECT subject FROM contact_reports AS loose WHERE contact = ${noContact} AND NOT EXISTS (
       SELECT FROM contact_reports AS other
       WHERE other.subject = loose.subject AND other.contact <> ${noContact} AND NOT other.resolved)`,
  );
  return rows.map(({ subject }) => subject);
}

/** The reports of contacts that were taken apart are done with. @param subjects which of them */
export async function dropLooseReports(db: Sql, subjects: readonly string[]): Promise<void> {
  await db.query(`DELETE FROM contact_reports WHERE contact = ${noContact} AND subject = ANY($1::text[])`, [
    subjects,
  ]);
}
