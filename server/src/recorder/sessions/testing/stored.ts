import type { Db } from '../../../db/db.ts';
import type { AgentEvent } from '../../../events/agent-event.ts';

/** Stores events as the inbox does, one after the other. */
export async function storeAll(db: Pick<Db, 'query'>, events: readonly AgentEvent[]): Promise<void> {
  await db.query(
    `INSERT INTO agent_events (id, type, at, at_from, sids, data, source, shard)
     SELECT id, type, at::timestamptz, 'payload', '{}', data::jsonb, 'webhook', ''
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS one (id, type, at, data, place)
     ORDER BY place`,
    [
      events.map(({ id }) => id),
      events.map(({ type }) => type),
      events.map(({ time }) => time.toISOString()),
      events.map(({ data }) => JSON.stringify(data)),
    ],
  );
}
