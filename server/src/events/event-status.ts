import type { Db } from '../db/db.ts';
import { eventTypes } from './event-types.ts';

/** What of agents' events has arrived; no content. */
export interface EventStatus {
  /** By source and shard: read = stored + duplicate + setAside. */
  sources: {
    source: string;
    /** Empty for sources without shards. */
    shard: string;
    read: number;
    stored: number;
    duplicate: number;
    setAside: number;
    lastReceivedAt: Date;
    /** When the newest event happened; absent where no event said so. */
    lastEventAt?: Date;
  }[];
  /** Stored events in a second, on average over the last minute and the last hour. */
  perSecond: { minute: number; hour: number };
  /** The newest event of each type that has any. */
  types: { type: string; lastEventAt: Date; lastReceivedAt: Date }[];
  setAside: AsideCount[];
}

/** Records that are set aside for one reason. */
export interface AsideCount {
  reason: string;
  /** Absent where the record has no usable one. */
  type?: string;
  /** Different records, and how often they came. */
  records: number;
  times: number;
  firstAt: Date;
  lastAt: Date;
}

/** Reasons and types of one answer. */
const mostAside = 200;

export async function readEventStatus(db: Pick<Db, 'query'>): Promise<EventStatus> {
  const types = await db.query<EventStatus['types'][number]>(
    `SELECT name AS type, last.at AS "lastEventAt", last.received_at AS "lastReceivedAt"
     FROM unnest($1::text[]) AS one (name), LATERAL (
       SELECT at, received_at FROM agent_events WHERE type = name ORDER BY seq DESC LIMIT 1
     ) last ORDER BY last.received_at DESC`,
    [eventTypes],
  );
  const [rate] = await db.query<{ minute: number; hour: number }>(
    `SELECT count(*) FILTER (WHERE received_at > now() - interval '1 minute')::int AS minute, count(*)::int AS hour
     FROM agent_events WHERE received_at > now() - interval '1 hour'`,
  );
  return {
    sources: await readCounters(db),
    perSecond: { minute: (rate?.minute ?? 0) / 60, hour: (rate?.hour ?? 0) / 3_600 },
    types,
    setAside: await readSetAside(db),
  };
}

export async function readCounters(db: Pick<Db, 'query'>): Promise<EventStatus['sources']> {
  type Row = Omit<EventStatus['sources'][number], 'lastEventAt'> & { lastEventAt: Date | null };
  const rows = await db.query<Row>(
    `SELECT source, shard, read, stored, duplicate, set_aside AS "setAside", last_received_at AS "lastReceivedAt",
       last_event_at AS "lastEventAt"
     FROM event_counters ORDER BY source, shard`,
  );
  return rows.map(({ lastEventAt, ...row }) => ({ ...row, ...(lastEventAt && { lastEventAt }) }));
}

async function readSetAside(db: Pick<Db, 'query'>): Promise<AsideCount[]> {
  const rows = await db.query<Omit<AsideCount, 'type'> & { type: string | null }>(
    `SELECT reason, type, count(*)::int AS records, sum(count)::bigint AS times, min(first_at) AS "firstAt",
       max(last_at) AS "lastAt"
     FROM events_set_aside GROUP BY reason, type ORDER BY times DESC, reason, type LIMIT ${mostAside}`,
  );
  return rows.map(({ type, ...row }) => ({ ...row, ...(type !== null && { type }) }));
}
