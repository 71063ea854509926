import type { ReservationSid } from '@flex-custody/core';
import { noContact } from '../../../catalog/erasure-sessions.ts';
import type { Db } from '../../../db/db.ts';
import type { Contact, Interaction } from '../contact.ts';
import type { Group } from './group.ts';

type Sql = Pick<Db, 'query'>;

/** A contact in the database. */
export interface KeptContact {
  number: number;
  contact: Contact;
  trackingClosedAt?: Date;
  shortSeconds?: number;
  /** Of its recordings whose audio was deleted since it was short. */
  shortCertificates?: readonly string[];
  shownAt?: Date;
}

/**
 * The kept contact of each of these keys that has one. A number that is not positive: the key ties nothing (`closed-contacts.ts`).
 */
export async function contactsOfKeys(db: Sql, keys: readonly string[]): Promise<Map<string, number>> {
  const rows = await db.query<{ key: string; contact: number }>(
    'SELECT key, contact FROM contact_keys WHERE key = ANY($1::text[])',
    [keys],
  );
  return new Map(rows.map(({ key, contact }) => [key, contact]));
}

/**
 * Adds the events of each group to its contact; contacts that a group shows to be the same one become the one with the smallest number.
 * @param db of a transaction
 * @returns the number of each group's contact
 */
export async function attachEvents(db: Sql, groups: readonly Group[]): Promise<number[]> {
  const fresh = groups.filter(({ contacts }) => contacts.length === 0).length;
  const numbers = await db.query<{ number: number }>(
    `SELECT nextval('contact_numbers') AS number FROM generate_series(1, $1::int)`,
    [fresh],
  );
  const targets = groups.map(({ contacts: [first] }) => first ?? numbers.pop()?.number ?? 0);
  const pairs = groups.flatMap(({ contacts }, index) =>
    contacts.slice(1).map((from) => ({ from, to: targets[index] })),
  );
  if (pairs.length > 0) {
    const moved = [pairs.map(({ from }) => from), pairs.map(({ to }) => to)];
    for (const table of ['contact_keys', 'contact_events'])
      await db.query(
        `UPDATE ${table} SET contact = pair.target
         FROM unnest($1::bigint[], $2::bigint[]) AS pair (source, target) WHERE contact = pair.source`,
        moved,
      );
    // Both may have reported the same hold.
    await db.query(
      `INSERT INTO contact_reports (contact, code, since, subject, resolved)
       SELECT pair.target, code, since, subject, resolved FROM contact_reports
         JOIN unnest($1::bigint[], $2::bigint[]) AS pair (source, target) ON contact = pair.source
       ON CONFLICT DO NOTHING`,
      moved,
    );
    await db.query(
      `UPDATE contacts SET short_certificates = short_certificates || gone.certificates FROM (
         SELECT pair.target, array_agg(DISTINCT one) AS certificates
         FROM contacts JOIN unnest($1::bigint[], $2::bigint[]) AS pair (source, target) ON number = pair.source,
           unnest(short_certificates) AS one GROUP BY pair.target
       ) AS gone WHERE number = gone.target`,
      moved,
    );
    for (const [table, column] of [
      ['contact_reports', 'contact'],
      ['contacts', 'number'],
    ])
      await db.query(`DELETE FROM ${table} WHERE ${column} = ANY($1::bigint[])`, [moved[0]]);
  }
  const keys = groups.flatMap((group, index) => group.keys.map((key) => ({ key, contact: targets[index] })));
  await db.query(
    `INSERT INTO contact_keys (key, contact) SELECT * FROM unnest($1::text[], $2::bigint[]) ON CONFLICT DO NOTHING`,
    [keys.map(({ key }) => key), keys.map(({ contact }) => contact)],
  );
  const events = groups.flatMap((group, index) =>
    group.events.map((event) => ({ event, contact: targets[index] })),
  );
  await db.query(
    `INSERT INTO contact_events (contact, event) SELECT * FROM unnest($1::bigint[], $2::text[]) ON CONFLICT DO NOTHING`,
    [events.map(({ contact }) => contact), events.map(({ event }) => event)],
  );
  return targets;
}

/**
 * Takes events that an erasure has left without a contact.
 * @param db of a transaction
 * @returns their ids
 */
export async function takeLeftEvents(db: Sql, limit: number): Promise<string[]> {
  const rows = await db.query<{ event: string }>(
    `DELETE FROM contact_events WHERE contact = ${noContact} AND event IN (
       SELECT event FROM contact_events WHERE contact = ${noContact} LIMIT $1
     ) RETURNING event`,
    [limit],
  );
  return rows.map(({ event }) => event);
}

/** An event of a contact. */
export interface ContactEvent {
  id: string;
  /** False once the event itself was removed from the inbox. */
  isThere: boolean;
}

/** All events of these contacts. */
export async function eventsOfContacts(
  db: Sql,
  numbers: readonly number[],
): Promise<Map<number, ContactEvent[]>> {
  const rows = await db.query<{ contact: number; id: string; isThere: boolean }>(
    `SELECT contact, event AS id, EXISTS (SELECT FROM agent_events WHERE id = event) AS "isThere"
     FROM contact_events WHERE contact = ANY($1::bigint[])`,
    [numbers],
  );
  const found = new Map<number, ContactEvent[]>();
  for (const { contact, ...event } of rows) {
    const events = found.get(contact);
    if (events) events.push(event);
    else found.set(contact, [event]);
  }
  return found;
}

/** Writes what was computed of contacts; what policies have decided stays, and so do callers that are not given. */
export async function writeContacts(
  db: Sql,
  contacts: readonly { number: number; contact: Contact; callers?: readonly string[] }[],
): Promise<void> {
  if (contacts.length === 0) return;
  await db.query(
    `INSERT INTO contacts (number, id, kind, opened_at, closed_at, contact, callers)
     SELECT number, one->>'id', one->>'kind', to_timestamp((one->>'openedAt')::float8 / 1000),
       to_timestamp((one->>'closedAt')::float8 / 1000), one,
       string_to_array(coalesce(callers, ''), ' ')
     FROM (SELECT number, text::jsonb AS one, callers
       FROM unnest($1::bigint[], $2::text[], $3::text[]) AS row (number, text, callers)) AS given
     ON CONFLICT (number) DO UPDATE SET id = excluded.id, kind = excluded.kind, opened_at = excluded.opened_at,
       closed_at = excluded.closed_at, contact = excluded.contact,
       callers = CASE WHEN excluded.number = ANY($4::bigint[]) THEN excluded.callers ELSE contacts.callers END,
       recovered_at = CASE WHEN contacts.closed_at = excluded.closed_at THEN contacts.recovered_at END`,
    [
      contacts.map(({ number }) => number),
      contacts.map(({ contact }) => JSON.stringify(contact)),
      contacts.map(({ callers }) => callers?.join(' ') ?? null),
      contacts.flatMap(({ number, callers }) => (callers ? [number] : [])),
    ],
  );
}

interface Row {
  number: number;
  contact: Contact;
  tracking_closed_at: Date | null;
  short_seconds: number | null;
  short_certificates: string[];
  shown_at: Date | null;
}

const columns = 'number, contact, tracking_closed_at, short_seconds, short_certificates, shown_at';

const keptOf = (row: Row): KeptContact => ({
  number: row.number,
  contact: row.contact,
  ...(row.tracking_closed_at && { trackingClosedAt: row.tracking_closed_at }),
  ...(row.short_seconds !== null && { shortSeconds: row.short_seconds }),
  ...(row.short_certificates.length > 0 && { shortCertificates: row.short_certificates }),
  ...(row.shown_at && { shownAt: row.shown_at }),
});

export async function readContacts(db: Sql, numbers: readonly number[]): Promise<KeptContact[]> {
  const rows = await db.query<Row>(
    `SELECT ${columns} FROM contacts WHERE number = ANY($1::bigint[]) ORDER BY number`,
    [numbers],
  );
  return rows.map(keptOf);
}

/** The kept contacts that any of these keys names, also those that take no more events: their keys have negative numbers. */
export async function contactsNamed(db: Sql, keys: readonly string[]): Promise<KeptContact[]> {
  const rows = await db.query<Row>(
    `SELECT ${columns} FROM contacts
     WHERE number IN (SELECT abs(contact) FROM contact_keys WHERE key = ANY($1::text[])) ORDER BY number`,
    [keys],
  );
  return rows.map(keptOf);
}

/** The interaction of a reservation, with its contact. */
export async function segmentOf(
  db: Sql,
  reservation: ReservationSid,
): Promise<{ contact: Contact; segment: Interaction } | undefined> {
  for (const { contact } of await contactsNamed(db, [reservation])) {
    const segment = contact.interactions.find(({ reservationSid }) => reservationSid === reservation);
    if (segment) return { contact, segment };
  }
  return undefined;
}

/**
 * Contacts that policies may still have to act on: open ones, and closed ones that are not shown yet.
 * @param after number of the last contact of the page before
 */
export async function unfinishedContacts(db: Sql, after: number, limit: number): Promise<KeptContact[]> {
  const rows = await db.query<Row>(
    `SELECT ${columns} FROM contacts WHERE shown_at IS NULL AND number > $1 ORDER BY number LIMIT $2`,
    [after, limit],
  );
  return rows.map(keptOf);
}

/** Contacts that closed up to a moment, in the order of their close. @param after the last contact of the page before */
export async function contactsClosed(
  db: Sql,
  after: { closedAt: Date; number: number },
  until: Date,
  limit: number,
): Promise<KeptContact[]> {
  const rows = await db.query<Row>(
    `SELECT ${columns} FROM contacts
     WHERE (closed_at, number) > ($1::timestamptz, $2::bigint) AND closed_at <= $3
     ORDER BY closed_at, number LIMIT $4`,
    [after.closedAt, after.number, until, limit],
  );
  return rows.map(keptOf);
}

/**
 * Contacts that opened before a moment, in the order of their opening.
 * @param after the last contact of the page before; times are epoch ms
 */
export async function contactsOpened(
  db: Sql,
  after: { openedAt: number; number: number },
  before: number,
  limit: number,
): Promise<KeptContact[]> {
  const rows = await db.query<Row>(
    `SELECT ${columns} FROM contacts
     WHERE (opened_at, number) > (to_timestamp($1::float8 / 1000), $2::bigint) AND opened_at < to_timestamp($3::float8 / 1000)
     ORDER BY opened_at, number LIMIT $4`,
    [after.openedAt, after.number, before, limit],
  );
  return rows.map(keptOf);
}

/**
 * Calls that closed within a period, and of which Twilio was not asked for recordings yet, in the order of their closing.
 * @param period epoch ms
 */
export async function unrecoveredContacts(
  db: Sql,
  { from, to }: { from: number; to: number },
  limit: number,
): Promise<KeptContact[]> {
  const rows = await db.query<Row>(
    `SELECT ${columns} FROM contacts
     WHERE recovered_at IS NULL AND closed_at IS NOT NULL AND kind = 'voice'
       AND closed_at BETWEEN to_timestamp($1::float8 / 1000) AND to_timestamp($2::float8 / 1000)
     ORDER BY closed_at, number LIMIT $3`,
    [from, to, limit],
  );
  return rows.map(keptOf);
}

export async function keepRecovered(db: Sql, numbers: readonly number[]): Promise<void> {
  await db.query('UPDATE contacts SET recovered_at = now() WHERE number = ANY($1::bigint[])', [numbers]);
}

/** What policies have reported of contacts, by the contact's number. */
export interface Report {
  contact: number;
  code: 'long_call' | 'long_hold';
  since: Date;
  subject: string;
  resolved: boolean;
}

export const readReports = (db: Sql, numbers: readonly number[]): Promise<Report[]> =>
  db.query(
    'SELECT contact, code, since, subject, resolved FROM contact_reports WHERE contact = ANY($1::bigint[])',
    [numbers],
  );

export async function keepReport(db: Sql, { contact, code, since, subject }: Report): Promise<void> {
  await db.query(
    'INSERT INTO contact_reports (contact, code, since, subject) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
    [contact, code, since, subject],
  );
}

export async function keepResolved(db: Sql, { contact, code, since }: Report): Promise<void> {
  await db.query(
    'UPDATE contact_reports SET resolved = true WHERE contact = $1 AND code = $2 AND since = $3',
    [contact, code, since],
  );
}

/** What policies decided about a contact; absent values stay as they are. */
export async function keepDecisions(
  db: Sql,
  { number, trackingClosedAt, shortSeconds, shownAt }: Omit<KeptContact, 'contact' | 'shortCertificates'>,
): Promise<void> {
  await db.query(
    `UPDATE contacts SET tracking_closed_at = coalesce(tracking_closed_at, $2), short_seconds = $3,
       short_look_at = CASE WHEN short_seconds IS DISTINCT FROM $3 THEN '-infinity' ELSE short_look_at END,
       short_kept = CASE WHEN short_seconds IS DISTINCT FROM $3 THEN NULL ELSE short_kept END, shown_at = coalesce(shown_at, $4)
     WHERE number = $1`,
    [number, trackingClosedAt ?? null, shortSeconds ?? null, shownAt ?? null],
  );
}
