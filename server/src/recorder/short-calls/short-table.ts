import type { Db } from '../../db/db.ts';
import type { Contact } from '../sessions/contact.ts';

type Sql = Pick<Db, 'query'>;

/** Where a page of short calls begins: after this one. */
export interface ShortPlace {
  /** When it is looked at again, as PostgreSQL writes a time. */
  at: string;
  /** Of the contact. */
  number: number;
}

export const beforeAllShort: ShortPlace = { at: '-infinity', number: 0 };

export interface ShortRow {
  number: number;
  contact: Contact;
  /** Why it kept its audio when it was last looked at; null: it has none left, or was not looked at. */
  kept: string | null;
  at: string;
}

/**
 * Contacts that are marked short and due for a look, those that wait the longest first.
 * @param until undefined: also those that are set aside, but not those that are looked at no more
 */
export const shortContacts = (
  db: Sql,
  after: ShortPlace,
  until: Date | undefined,
  limit: number,
): Promise<ShortRow[]> =>
  db.query(
    `SELECT number, contact, short_kept AS kept, short_look_at::text AS at FROM contacts
     WHERE short_seconds IS NOT NULL AND (short_look_at, number) > ($1::text::timestamptz, $2::bigint)
       AND short_look_at < 'infinity' AND short_look_at <= coalesce($3::timestamptz, 'infinity')
     ORDER BY short_look_at, number LIMIT $4`,
    [after.at, after.number, until ?? null, limit],
  );

export interface Look {
  number: number;
  /** Why it keeps its audio; null: it has none left. */
  kept: string | null;
  /** When it is looked at again; null: never. */
  again: Date | null;
}

export async function setLooks(db: Sql, looks: readonly Look[]): Promise<void> {
  await db.query(
    `UPDATE contacts SET short_kept = look.kept, short_look_at = coalesce(look.again, 'infinity')
     FROM unnest($1::bigint[], $2::text[], $3::timestamptz[]) AS look (number, kept, again)
     WHERE contacts.number = look.number`,
    [
      looks.map(({ number }) => number),
      looks.map(({ kept }) => kept),
      looks.map(({ again }) => again?.toISOString() ?? null),
    ],
  );
}

/** Those of these SIDs that an event names which the sessions have not read yet. */
export async function unreadAmong(db: Sql, sids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ sid: string }>(
    `SELECT DISTINCT sid FROM agent_events, unnest(sids) AS sid
     WHERE sids && $1::text[] AND sid = ANY($1::text[])
       AND seq > coalesce((SELECT position FROM session_place)::bigint, 0)`,
    [sids],
  );
  return new Set(rows.map(({ sid }) => sid));
}

/** The calls that keep their audio since something contradicts their events: how many, and the id of one. */
export async function disputedCalls(db: Sql): Promise<{ count: number; one: string | null }> {
  const [row] = await db.query<{ count: number; one: string | null }>(
    `SELECT count(*)::int AS count, max(id) AS one FROM contacts
     WHERE short_kept = 'disputed' AND short_look_at < 'infinity'`,
  );
  return row ?? { count: 0, one: null };
}

/** Recordings whose audio was deleted for the length of their calls, by their certificates. */
export async function deletedSince(db: Sql, since: Date): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `SELECT coalesce(sum(recordings), 0)::int AS count FROM certificates WHERE at >= $1 AND reason = 'short-session'`,
    [since],
  );
  return row?.count ?? 0;
}

/** The mean of a day, of the 20 days before a moment, without days that had none; undefined before the first. */
export async function usualOfDay(db: Sql, before: Date): Promise<number | undefined> {
  const [row] = await db.query<{ mean: number | null }>(
    `SELECT avg(count)::double precision AS mean FROM (
       SELECT sum(recordings) AS count FROM certificates
       WHERE at >= $1::timestamptz - interval '20 days' AND at < $1 AND reason = 'short-session'
       GROUP BY date_trunc('day', at)
     ) AS days`,
    [before],
  );
  return row?.mean ?? undefined;
}
