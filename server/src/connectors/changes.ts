import type { AccountSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';

type Sql = Pick<Db, 'query'>;

/** While this mark is there, a trigger of the database notes each contact that changes (migration 032). */
const connectorsMark = 'connectors';
/** Contacts that one statement adds. */
const slice = 1_000;

/** From now on contacts that change are noted. */
export async function switchOn(db: Sql, account: AccountSid): Promise<void> {
  await db.query(
    `INSERT INTO marks (account_sid, name, mark) VALUES ($1, $2, jsonb_build_object('since', now())) ON CONFLICT DO NOTHING`,
    [account, connectorsMark],
  );
}

/** What no connector has looked at is removed. */
export async function switchOff(db: Sql, account: AccountSid): Promise<void> {
  const off = await db.query<object>('DELETE FROM marks WHERE account_sid = $1 AND name = $2 RETURNING 1', [
    account,
    connectorsMark,
  ]);
  if (off.length > 0) await db.query('DELETE FROM connector_changes');
}

/** Since when contacts are noted, and which older ones an import of the past asked for; undefined while connectors are off. */
export async function noticedSince(
  db: Sql,
  account: AccountSid,
  connector: string,
): Promise<{ since: Date; history?: Date } | undefined> {
  const [row] = await db.query<{ since: Date; history: Date | null }>(
    `SELECT (mark->>'since')::timestamptz AS since,
       (SELECT (note->>'since')::timestamptz FROM connector_notes WHERE connector = $3 AND name = 'history') AS history
     FROM marks WHERE account_sid = $1 AND name = $2`,
    [account, connectorsMark, connector],
  );
  return row && { since: row.since, ...(row.history && { history: row.history }) };
}

/**
 * Has the contacts since a moment looked at, also those of before connectors were switched on.
 * @param after the last contact of the slice before
 * @returns where the next slice begins; undefined at the end
 */
export async function addHistory(
  db: Db,
  connector: string,
  since: Date,
  after: { openedAt: Date; number: number } = { openedAt: since, number: 0 },
): Promise<{ openedAt: Date; number: number } | undefined> {
  return db.transaction(async (inner) => {
    await inner.query(
      `INSERT INTO connector_notes AS kept (connector, name, note) VALUES ($1, 'history', jsonb_build_object('since', $2::timestamptz))
       ON CONFLICT (connector, name) DO UPDATE SET at = now(),
         note = jsonb_build_object('since', least((kept.note->>'since')::timestamptz, $2::timestamptz))`,
      [connector, since],
    );
    const rows = await inner.query<{ number: number; opened_at: Date }>(
      `SELECT number, opened_at FROM contacts WHERE (opened_at, number) > ($1::timestamptz, $2::bigint) AND opened_at >= $1
       ORDER BY opened_at, number LIMIT ${slice}`,
      [after.openedAt, after.number],
    );
    await inner.query(
      'INSERT INTO connector_changes (contact) SELECT unnest($1::bigint[]) ON CONFLICT DO NOTHING',
      [rows.map(({ number }) => number)],
    );
    const last = rows.at(-1);
    return last && rows.length >= slice ? { openedAt: last.opened_at, number: last.number } : undefined;
  });
}

/** Contacts, and events of them, that one batch reads; the first contact counts whatever its events. */
const mostContacts = 200;
const mostEvents = 5_000;

/**
 * Takes numbers of contacts that have changed.
 * @param db of a transaction: if it is rolled back they are there again
 */
export async function takeChanges(db: Sql): Promise<number[]> {
  const found = await db.query<{ contact: number; events: number }>(
    `SELECT contact, (SELECT count(*)::int FROM contact_events own WHERE own.contact = changed.contact) AS events
     FROM (SELECT contact FROM connector_changes ORDER BY contact LIMIT ${mostContacts} FOR UPDATE SKIP LOCKED) AS changed
     ORDER BY contact`,
  );
  let events = 0;
  const taken: number[] = [];
  for (const one of found) {
    events += one.events;
    if (taken.length > 0 && events > mostEvents) break;
    taken.push(one.contact);
  }
  await db.query('DELETE FROM connector_changes WHERE contact = ANY($1::bigint[])', [taken]);
  return taken;
}
