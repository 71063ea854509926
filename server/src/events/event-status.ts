import type { Db } from '../db/db.ts';
import { eventTypes, ownTypes } from './event-types.ts';
import { readStatus, type StatusPart, type StatusTable } from './status-part.ts';

/** Of one source and shard: read = stored + duplicate + setAside. */
interface Counters {
  source: string;
  /** Empty for sources without shards. */
  shard: string;
  read: number;
  stored: number;
  duplicate: number;
  setAside: number;
  /** When the last batch came. */
  lastReceivedAt: Date;
  /** When the newest event happened; null where no event said so. */
  lastEventAt: Date | null;
}

export const readCounters = (db: Pick<Db, 'query'>): Promise<Counters[]> =>
  db.query(
    `SELECT source, shard, read, stored, duplicate, set_aside AS "setAside", last_received_at AS "lastReceivedAt",
       last_event_at AS "lastEventAt"
     FROM event_counters ORDER BY source, shard`,
  );

const sources: StatusPart = {
  name: 'events',
  title: "Agents' events by source",
  columns: {
    ...{ source: 'SOURCE', shard: 'SHARD', read: 'READ', stored: 'STORED', duplicate: 'DUPLICATE' },
    ...{
      setAside: 'SET ASIDE',
      lastReceivedAt: 'LAST CAME',
      lastEventAt: 'NEWEST HAPPENED',
      lagSeconds: 'LAG, S',
    },
  },
  async read(db) {
    return (await readCounters(db)).map((row) => {
      const lag = row.lastEventAt && row.lastReceivedAt.getTime() - row.lastEventAt.getTime();
      return { ...row, lagSeconds: lag === null ? null : Math.round(lag / 1_000) };
    });
  },
};

const rates: StatusPart = {
  name: 'eventRates',
  title: "Agents' events stored in a second",
  columns: { over: 'OVER THE LAST', perSecond: 'EVENTS/S' },
  async read(db) {
    const [row] = await db.query<{ minute: number; hour: number }>(
      `SELECT count(*) FILTER (WHERE received_at > now() - interval '1 minute')::int AS minute, count(*)::int AS hour
       FROM agent_events WHERE received_at > now() - interval '1 hour'`,
    );
    const perSecond = (count = 0, seconds: number) => Math.round((count / seconds) * 100) / 100;
    return [
      { over: 'minute', perSecond: perSecond(row?.minute, 60) },
      { over: 'hour', perSecond: perSecond(row?.hour, 3_600) },
    ];
  },
};

const types: StatusPart = {
  name: 'eventTypes',
  title: 'The last event of each type',
  columns: { type: 'TYPE', lastEventAt: 'HAPPENED', lastReceivedAt: 'CAME' },
  read: (db) =>
    db.query(
      `SELECT name AS type, last.at AS "lastEventAt", last.received_at AS "lastReceivedAt"
       FROM unnest($1::text[]) AS one (name), LATERAL (
         SELECT at, received_at FROM agent_events WHERE type = name ORDER BY seq DESC LIMIT 1
       ) last ORDER BY last.received_at DESC, name`,
      [[...eventTypes, ...Object.values(ownTypes)]],
    ),
};

/** Reasons and types of one answer. */
const mostAside = 200;

/** Counts by reason: what the records hold is not read. */
export const setAsideStatus: StatusPart = {
  name: 'eventsSetAside',
  title: "Agents' events that are set aside",
  columns: {
    ...{ reason: 'REASON', type: 'TYPE', records: 'RECORDS', times: 'TIMES' },
    ...{ firstAt: 'FIRST CAME', lastAt: 'LAST CAME' },
  },
  read: (db) =>
    db.query(
      `SELECT reason, type, count(*)::int AS records, sum(count)::bigint AS times, min(first_at) AS "firstAt",
         max(last_at) AS "lastAt"
       FROM events_set_aside GROUP BY reason, type ORDER BY times DESC, reason, type LIMIT ${mostAside}`,
    ),
};

/** What of agents' events has arrived, without their content. */
export const eventStatus: readonly StatusPart[] = [sources, rates, types, setAsideStatus];

export const readEventStatus = (db: Db): Promise<StatusTable[]> => readStatus(eventStatus, db);

/** Whether events have ever come from Twilio by themselves: only then a comparison with its history can find gaps. */
export async function hasFollowed(db: Pick<Db, 'query'>): Promise<boolean> {
  const rows = await db.query<object>(
    `SELECT 1 FROM event_counters WHERE source IN ('kinesis', 'webhook') LIMIT 1`,
  );
  return rows.length > 0;
}
