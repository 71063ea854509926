import type { Db } from '../db/db.ts';
import type { Interaction } from './interaction.ts';

type Sql = Pick<Db, 'query'>;

/** An interaction as it is kept. */
export interface KeptInteraction {
  custodyId: string;
  /** Undefined once the contact is gone. */
  contact?: number;
  customer?: number;
  mergedInto?: string;
  interaction?: Interaction;
  sids: readonly string[];
  messages?: number;
  /** Epoch ms of the first look. */
  lookedAt: number;
}

interface Row {
  custody_id: string;
  contact: number | null;
  customer: number | null;
  merged_into: string | null;
  interaction: Interaction | null;
  sids: string[];
  messages: number | null;
  looked_at: Date;
}

const columns = 'custody_id, contact, customer, merged_into, interaction, sids, messages, looked_at';

const keptOf = (row: Row): KeptInteraction => ({
  custodyId: row.custody_id,
  ...(row.contact !== null && { contact: row.contact }),
  ...(row.customer !== null && { customer: row.customer }),
  ...(row.merged_into !== null && { mergedInto: row.merged_into }),
  ...(row.interaction !== null && { interaction: row.interaction }),
  sids: row.sids,
  ...(row.messages !== null && { messages: row.messages }),
  lookedAt: row.looked_at.getTime(),
});

/** The interactions of these contacts. */
export async function interactionsOfContacts(
  db: Sql,
  connector: string,
  contacts: readonly number[],
): Promise<KeptInteraction[]> {
  const rows = await db.query<Row>(
    `SELECT ${columns} FROM connector_interactions WHERE connector = $1 AND contact = ANY($2::bigint[])`,
    [connector, contacts],
  );
  return rows.map(keptOf);
}

/** The interactions that have any of these SIDs of tasks or conversations, in the order of their first look. */
export async function interactionsNamed(
  db: Sql,
  connector: string,
  sids: readonly string[],
): Promise<KeptInteraction[]> {
  const rows = await db.query<Row>(
    `SELECT ${columns} FROM connector_interactions WHERE connector = $1 AND sids && $2::text[] ORDER BY looked_at, custody_id`,
    [connector, sids],
  );
  return rows.map(keptOf);
}

/** Interactions that became one with these, as pairs of their ids and those of these. */
export async function mergedInto(db: Sql, custodyIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await db.query<{ custody_id: string; merged_into: string }>(
    'SELECT custody_id, merged_into FROM connector_interactions WHERE merged_into = ANY($1::uuid[])',
    [custodyIds],
  );
  return new Map(rows.map(({ custody_id, merged_into }) => [custody_id, merged_into]));
}

/** Makes interactions one with others; what became one with them before follows. Their effects that were sent stay theirs. */
export async function mergeInteractions(
  db: Sql,
  pairs: readonly { custodyId: string; into: string }[],
): Promise<void> {
  if (pairs.length === 0) return;
  await db.query(
    `UPDATE connector_interactions kept SET merged_into = pair.target, contact = NULL, customer = NULL, ask_messages_at = NULL
     FROM unnest($1::uuid[], $2::uuid[]) AS pair (source, target)
     WHERE kept.custody_id = pair.source OR kept.merged_into = pair.source`,
    [pairs.map(({ custodyId }) => custodyId), pairs.map(({ into }) => into)],
  );
}

export interface WrittenInteraction {
  contact: number;
  customer?: number;
  interaction: Interaction;
  sids: readonly string[];
  /** Its conversation was closed since it was last counted. */
  asksMessages: boolean;
}

export async function writeInteractions(
  db: Sql,
  connector: string,
  written: readonly WrittenInteraction[],
): Promise<void> {
  if (written.length === 0) return;
  await db.query(
    `INSERT INTO connector_interactions AS kept (custody_id, connector, contact, customer, interaction, opened_at, closed_at,
       channel, sids, ask_messages_at)
     SELECT (one->>'custodyId')::uuid, $1, contact, customer, one, to_timestamp((one->>'openedAt')::float8 / 1000),
       to_timestamp((one->>'closedAt')::float8 / 1000), one->>'channel', string_to_array(sids, ' '),
       CASE WHEN asks THEN now() END
     FROM (SELECT contact, customer, text::jsonb AS one, sids, asks
       FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::boolean[]) AS row (contact, customer, text, sids, asks)
     ) AS given
     ON CONFLICT (custody_id) DO UPDATE SET contact = excluded.contact, customer = excluded.customer,
       interaction = excluded.interaction, opened_at = excluded.opened_at, closed_at = excluded.closed_at,
       channel = excluded.channel, sids = excluded.sids, changed_at = now(),
       ask_messages_at = coalesce(excluded.ask_messages_at, kept.ask_messages_at)`,
    [
      connector,
      written.map(({ contact }) => contact),
      written.map(({ customer }) => customer ?? null),
      written.map(({ interaction }) => JSON.stringify(interaction)),
      written.map(({ sids }) => sids.join(' ')),
      written.map(({ asksMessages }) => asksMessages),
    ],
  );
}

/** The contacts of these interactions are gone, and no other one has their tasks. */
export async function looseInteractions(db: Sql, custodyIds: readonly string[]): Promise<void> {
  if (custodyIds.length === 0) return;
  await db.query('UPDATE connector_interactions SET contact = NULL WHERE custody_id = ANY($1::uuid[])', [
    custodyIds,
  ]);
}

/** Interactions that turned out to be none, such as a call between agents. Their effects go too, but for those that were sent. */
export async function removeInteractions(db: Sql, custodyIds: readonly string[]): Promise<void> {
  if (custodyIds.length === 0) return;
  await db.query(
    `DELETE FROM connector_effects WHERE custody_id = ANY($1::uuid[]) AND state IN ('waiting', 'dropped')`,
    [custodyIds],
  );
  await db.query('DELETE FROM connector_interactions WHERE custody_id = ANY($1::uuid[])', [custodyIds]);
}

/** Numbers of these contacts that are there. */
export async function liveContacts(db: Sql, numbers: readonly number[]): Promise<Set<number>> {
  if (numbers.length === 0) return new Set();
  const rows = await db.query<{ number: number }>(
    'SELECT number FROM contacts WHERE number = ANY($1::bigint[])',
    [numbers],
  );
  return new Set(rows.map(({ number }) => number));
}
