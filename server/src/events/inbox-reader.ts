import type { Db } from '../db/db.ts';
import type { AgentEvent } from './agent-event.ts';
import type { InboxReader } from './inbox.ts';

/** Rows of one reading. */
const mostRows = 1_000;
/** Bytes of one reading, as the database stores them; the first event counts whatever its size. */
const mostBytes = 4 * 1024 * 1024;

interface Row {
  seq: number;
  id: string;
  type: string;
  at: Date;
  event_sid: string | null;
  data: Readonly<Record<string, unknown>>;
}

const eventOf = ({ id, type, at, event_sid: eventSid, data }: Row): AgentEvent => ({
  ...{ id, type, time: at, data },
  ...(eventSid !== null && { eventSid }),
});

/** Writers commit in the order of `seq`, so that what follows a number cannot appear before it later. */
export function createInboxReader(db: Pick<Db, 'query'>): InboxReader {
  return {
    async after(position, limit) {
      const rows = await db.query<Row>(
        `SELECT seq, id, type, at, event_sid, data FROM (
           SELECT *, sum(pg_column_size(data)) OVER (ORDER BY seq) - pg_column_size(data) AS bytes_before FROM (
             SELECT seq, id, type, at, event_sid, data FROM agent_events WHERE seq > $1 ORDER BY seq LIMIT $2
           ) AS following
         ) AS sized WHERE bytes_before < $3 ORDER BY seq`,
        [position ?? '0', Math.min(limit, mostRows), mostBytes],
      );
      const last = rows.at(-1);
      return { events: rows.map(eventOf), position: last ? String(last.seq) : position };
    },
  };
}

/** The events with these ids, in any order. */
export async function readEvents(db: Pick<Db, 'query'>, ids: readonly string[]): Promise<AgentEvent[]> {
  const rows = await db.query<Row>(
    'SELECT seq, id, type, at, event_sid, data FROM agent_events WHERE id = ANY($1::text[])',
    [ids],
  );
  return rows.map(eventOf);
}
