import type { Db } from '../db/db.ts';

type Sql = Pick<Db, 'query'>;

/** A closed interaction by messages that Twilio is to be asked about. */
export interface DueMessages {
  custodyId: string;
  conversationSid: string;
}

/** Takes interactions whose messages are to be counted; no other process takes them within `claimMs`. */
export async function takeDueMessages(
  db: Sql,
  connector: string,
  most: number,
  claimMs: number,
): Promise<DueMessages[]> {
  const rows = await db.query<{ custody_id: string; sid: string | null }>(
    `UPDATE connector_interactions SET ask_messages_at = now() + $3::float8 * interval '1 millisecond'
     WHERE custody_id IN (
       SELECT custody_id FROM connector_interactions WHERE connector = $1 AND ask_messages_at <= now()
       ORDER BY ask_messages_at LIMIT $2 FOR UPDATE SKIP LOCKED
     ) RETURNING custody_id, interaction->>'conversationSid' AS sid`,
    [connector, most, claimMs],
  );
  return rows.flatMap(({ custody_id, sid }) =>
    sid === null ? [] : [{ custodyId: custody_id, conversationSid: sid }],
  );
}

/** Notes what Twilio counted; undefined: it has no such conversation any more. What is sent from now on states it. */
export async function noteMessages(
  db: Sql,
  counts: readonly { custodyId: string; messages: number | undefined }[],
): Promise<void> {
  if (counts.length === 0) return;
  await db.query(
    `UPDATE connector_interactions kept SET ask_messages_at = NULL, messages = coalesce(one.messages, kept.messages),
       interaction = CASE WHEN one.messages IS NULL OR interaction IS NULL THEN interaction
         ELSE jsonb_set(interaction, '{messages}', to_jsonb(one.messages)) END
     FROM unnest($1::uuid[], $2::int[]) AS one (custody_id, messages) WHERE kept.custody_id = one.custody_id`,
    [counts.map(({ custodyId }) => custodyId), counts.map(({ messages }) => messages ?? null)],
  );
}
