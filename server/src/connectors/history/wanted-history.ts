import type { Db } from '../../db/db.ts';
import type { Channel } from '../interaction.ts';
import { readNote, setNote } from '../notes.ts';
import { knownTaskChannels, taskChannelsOf } from './channel.ts';

/** Read by `noticedSince` of connectors/changes.ts. */
const name = 'history';

/**
 * Notes from when on (epoch ms) an import has asked for the past: contacts that opened since then are sent although they had
 * closed before the connector was switched on. An earlier time that was asked for before stays.
 */
export async function wantHistory(db: Pick<Db, 'query'>, connector: string, since: number): Promise<void> {
  const before = Date.parse(String((await readNote(db, connector, name))?.note['since']));
  const earliest = Number.isNaN(before) ? since : Math.min(since, before);
  await setNote(db, connector, name, { since: new Date(earliest).toISOString() });
}

/** Contacts of one statement. */
const slice = 1_000;

export interface AskedContacts {
  /** Place of the last one; undefined: the end was reached. */
  after?: { openedAt: string; number: string };
  asked: number;
}

/** A period of contacts, both ends epoch ms, the second one not included. */
export interface ContactPeriod {
  since: number;
  until: number;
  /** Undefined: all. */
  channels?: readonly Channel[];
}

/** Whether a contact may be of a wanted channel, as far as TaskRouter's channel says. */
const isWanted = `($3::text[] IS NULL OR (lower(contact->>'channel') = ANY ($4::text[])) = $5
  OR lower(contact->>'channel') = ANY ($3::text[]))`;

/** The parameters 3 to 5 of {@link isWanted}. */
function channelParameters({ channels }: Pick<ContactPeriod, 'channels'>): unknown[] {
  const wanted = channels ? taskChannelsOf(channels) : null;
  // A channel that has no name of ours is `other`: none of the known ones.
  return [wanted, knownTaskChannels, channels?.includes('other') ? false : null];
}

/**
 * Has the next contacts of a period looked at, as if they had changed.
 * @param after of the slice before
 */
export async function askForContacts(
  db: Pick<Db, 'query'>,
  period: ContactPeriod,
  after: AskedContacts['after'],
): Promise<AskedContacts> {
  const rows = await db.query<{ opened_at: string; number: string; wanted: boolean }>(
    `WITH found AS (
       SELECT opened_at, number, coalesce(${isWanted}, false) AS wanted FROM contacts
       WHERE (opened_at, number) > ($1::timestamptz, $2::bigint) AND opened_at < to_timestamp($6::float8 / 1000)
       ORDER BY opened_at, number LIMIT ${slice}
     ), asked AS (
       INSERT INTO connector_changes (contact) SELECT number FROM found WHERE wanted
       ON CONFLICT (contact) DO UPDATE SET at = now()
     )
     SELECT opened_at::text, number::text, wanted FROM found ORDER BY found.opened_at, found.number`,
    [
      after?.openedAt ?? new Date(period.since - 1).toISOString(),
      after?.number ?? '0',
      ...channelParameters(period),
      period.until,
    ],
  );
  const last = rows.at(-1);
  return {
    asked: rows.filter(({ wanted }) => wanted).length,
    ...(last && rows.length === slice && { after: { openedAt: last.opened_at, number: last.number } }),
  };
}

/** How many {@link askForContacts} would ask for, for a dry run. */
export async function countContacts(db: Pick<Db, 'query'>, period: ContactPeriod): Promise<number> {
  const [row] = await db.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM contacts
     WHERE opened_at >= to_timestamp($1::float8 / 1000) AND opened_at < to_timestamp($2::float8 / 1000) AND ${isWanted}`,
    [period.since, period.until, ...channelParameters(period)],
  );
  return row?.n ?? 0;
}
