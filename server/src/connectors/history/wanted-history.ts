import type { Db } from '../../db/db.ts';
import { channels as allChannels, type Channel } from '../interaction.ts';
import { readNote, setNote } from '../notes.ts';

/**
 * The past that an import has asked for. Contacts that opened since then are sent although they had closed before the
 * connector was switched on.
 */
export interface WantedHistory {
  /** Epoch ms. */
  since: number;
  /** Undefined: all. */
  channels?: readonly Channel[];
}

const name = 'history';

/** Undefined where no import has asked for any. */
export async function wantedHistory(
  db: Pick<Db, 'query'>,
  connector: string,
): Promise<WantedHistory | undefined> {
  const found = await readNote(db, connector, name);
  const since = Date.parse(String(found?.note['since']));
  if (Number.isNaN(since)) return undefined;
  const given = found?.note['channels'];
  return {
    since,
    ...(Array.isArray(given) && { channels: allChannels.filter((one) => given.includes(one)) }),
  };
}

/** Adds to what was asked for before. */
export async function wantHistory(
  db: Pick<Db, 'query'>,
  connector: string,
  { since, channels }: WantedHistory,
): Promise<void> {
  const before = await wantedHistory(db, connector);
  const all = before && !before.channels ? undefined : channels && [...(before?.channels ?? []), ...channels];
  const earliest = Math.min(since, before?.since ?? since);
  await setNote(db, connector, name, {
    since: new Date(earliest).toISOString(),
    ...(all && { channels: allChannels.filter((one) => all.includes(one)) }),
  });
}

/** Contacts of one statement. */
const slice = 1_000;

export interface AskedContacts {
  /** Place of the last one; undefined: the end was reached. */
  after?: { openedAt: string; number: string };
  asked: number;
}

/**
 * Has the next contacts of a period looked at, as if they had changed. Both ends are epoch ms, the second one is not included.
 * @param after of the slice before
 */
export async function askForContacts(
  db: Pick<Db, 'query'>,
  { since, until }: { since: number; until: number },
  after: AskedContacts['after'],
): Promise<AskedContacts> {
  const rows = await db.query<{ opened_at: string; number: string }>(
    `WITH found AS (
       SELECT opened_at, number FROM contacts
       WHERE (opened_at, number) > ($1::timestamptz, $2::bigint) AND opened_at < to_timestamp($3::float8 / 1000)
       ORDER BY opened_at, number LIMIT ${slice}
     ), asked AS (
       INSERT INTO connector_changes (contact) SELECT number FROM found
       ON CONFLICT (contact) DO UPDATE SET at = now()
     )
     SELECT opened_at::text, number::text FROM found ORDER BY found.opened_at, found.number`,
    [after?.openedAt ?? new Date(since - 1).toISOString(), after?.number ?? '0', until],
  );
  const last = rows.at(-1);
  return {
    asked: rows.length,
    ...(last && rows.length === slice && { after: { openedAt: last.opened_at, number: last.number } }),
  };
}

/** How many {@link askForContacts} would ask for, for a dry run. */
export async function countContacts(
  db: Pick<Db, 'query'>,
  { since, until }: { since: number; until: number },
): Promise<number> {
  const [row] = await db.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM contacts
     WHERE opened_at >= to_timestamp($1::float8 / 1000) AND opened_at < to_timestamp($2::float8 / 1000)`,
    [since, until],
  );
  return row?.n ?? 0;
}
