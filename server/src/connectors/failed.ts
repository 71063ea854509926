import type { Db } from '../db/db.ts';

/** An event that the other system refused, and that is sent again only when an operator says so. */
export interface FailedEffect {
  id: number;
  trigger: string;
  eventName?: string;
  custodyId: string;
  /** SIDs of its tasks and its conversation; none once it is erased. */
  sids: readonly string[];
  happenedAt: Date;
  attempts: number;
  /** The other system's code and words, without addresses and numbers. */
  code?: string;
  message?: string;
}

/** Dead letters of a connector, by their ids. @param after the last id of the page before */
export async function failedEffects(
  db: Pick<Db, 'query'>,
  connector: string,
  { limit, after = 0 }: { limit: number; after?: number },
): Promise<FailedEffect[]> {
  const rows = await db.query<{
    id: number;
    trigger: string;
    event_name: string | null;
    custody_id: string;
    sids: string[] | null;
    happened_at: Date;
    attempts: number;
    error: unknown;
  }>(
    `SELECT effect.id, effect.trigger, effect.event_name, effect.custody_id, effect.happened_at, effect.attempts,
       effect.error, one.sids
     FROM connector_effects effect LEFT JOIN connector_interactions one USING (custody_id)
     WHERE effect.connector = $1 AND effect.state = 'failed' AND effect.id > $2
     ORDER BY effect.id LIMIT $3`,
    [connector, after, limit],
  );
  return rows.map((row) => ({
    ...{ id: row.id, trigger: row.trigger },
    ...(row.event_name !== null && { eventName: row.event_name }),
    ...{ custodyId: row.custody_id, sids: row.sids ?? [] },
    ...{ happenedAt: row.happened_at, attempts: row.attempts },
    ...faultOf(row.error),
  }));
}

/** Code and words of an error as it is kept. */
export function faultOf(error: unknown): { code?: string; message?: string } {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return {
    ...(typeof code === 'string' && { code }),
    ...(typeof message === 'string' && { message }),
  };
}
