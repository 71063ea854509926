import { createHash } from 'node:crypto';
import type { Db } from '../db/db.ts';
import { erasedAmong, lockInbox } from '../db/erased-sids.ts';
import type { EventSource } from './agent-event.ts';
import type { TakenIn } from './inbox.ts';
import { type Aside, asideOf, type ParsedEvent } from './parse-event.ts';

/** Of a batch: what one transaction writes. */
export interface Slice {
  events: ParsedEvent[];
  asides: Aside[];
  /** Records that the two were read from. */
  read: number;
}

export interface Written {
  taken: TakenIn;
  /** Duplicates with other content. */
  differing: number;
}

/** A record that is set aside, once for all of its repetitions in the batch. */
interface KeptAside extends Aside {
  key: string;
  count: number;
}

/** Events, what is set aside, and the counters of both, which commit together. @param db of a transaction */
export async function writeSlice(
  db: Pick<Db, 'query'>,
  slice: Slice,
  source: EventSource,
  shard: string,
): Promise<Written> {
  await lockInbox(db);
  const { events, erased } = await withoutErased(db, slice.events);
  const asides = [...slice.asides, ...erased];
  const { stored, differing } = await storeEvents(db, events, source, shard);
  await setAside(db, asides, source, shard);
  const { read } = slice;
  const taken = { read, stored, setAside: asides.length, duplicate: read - stored - asides.length };
  await count(db, taken, slice.events, source, shard);
  return { taken, differing };
}

/** Separates events that name an erased call: of them nothing is kept. */
export async function withoutErased(
  db: Pick<Db, 'query'>,
  events: readonly ParsedEvent[],
): Promise<{ events: ParsedEvent[]; erased: Aside[] }> {
  const gone = await erasedAmong(db, new Set(events.flatMap(({ sids }) => sids)));
  const isErased = ({ sids }: ParsedEvent) => sids.some((sid) => gone.has(sid));
  return {
    events: events.filter((event) => !isErased(event)),
    erased: events.filter(isErased).map(({ type }) => asideOf('erased', type, '')),
  };
}

/**
 * Stores each event that is not there yet: by its id, by its SID, or, where one of two has no SID, by type, resource and
 * milliseconds.
 * @returns how many were stored, and how many are there under the same id with other content
 */
export async function storeEvents(
  db: Pick<Db, 'query'>,
  events: readonly ParsedEvent[],
  source: EventSource,
  shard: string,
): Promise<{ stored: number; differing: number }> {
  if (events.length === 0) return { stored: 0, differing: 0 };
  const [row] = await db.query<{ stored: number; differing: number }>(
    `WITH given AS MATERIALIZED (
       SELECT id, type, at::timestamptz, at_from, event_sid, same_as, string_to_array(sids, ' ') AS sids, data::jsonb, place
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
         WITH ORDINALITY AS one (id, type, at, at_from, event_sid, same_as, sids, data, place)
     ), differing AS (
       SELECT count(*)::int AS n FROM given JOIN agent_events had USING (id) WHERE had.data <> given.data
     ), stored AS (
       INSERT INTO agent_events (id, type, at, at_from, event_sid, same_as, sids, data, source, shard)
       SELECT id, type, at, at_from, event_sid, same_as, sids, data, $9, $10 FROM given
       WHERE NOT EXISTS (
         SELECT FROM agent_events had
         WHERE had.same_as = given.same_as AND (had.event_sid IS NULL OR given.event_sid IS NULL)
       )
       ORDER BY place
       ON CONFLICT DO NOTHING RETURNING seq
     )
     SELECT (SELECT count(*)::int FROM stored) AS stored, (SELECT n FROM differing) AS differing`,
    [...columnsOf(eachOnce(events)), source, shard],
  );
  if (!row) throw new Error('the statement that stores events returned no row');
  return row;
}

/** Those of the events that {@link storeEvents} would store, each compared with what is stored, not with the others. */
export async function missingEvents(
  db: Pick<Db, 'query'>,
  events: readonly ParsedEvent[],
): Promise<readonly ParsedEvent[]> {
  const rows = await db.query<{ place: number }>(
    `SELECT place::int FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS given (id, event_sid, same_as, place)
     WHERE NOT EXISTS (SELECT FROM agent_events had WHERE had.id = given.id)
       AND NOT EXISTS (SELECT FROM agent_events had WHERE had.event_sid = given.event_sid)
       AND NOT EXISTS (
         SELECT FROM agent_events had
         WHERE had.same_as = given.same_as AND (had.event_sid IS NULL OR given.event_sid IS NULL)
       )
     ORDER BY place`,
    [
      events.map(({ id }) => id),
      events.map(({ eventSid }) => eventSid ?? null),
      events.map(({ sameAs }) => sameAs ?? null),
    ],
  );
  return rows.flatMap(({ place }) => events[place - 1] ?? []);
}

const columnsOf = (events: readonly ParsedEvent[]): unknown[] => [
  events.map(({ id }) => id),
  events.map(({ type }) => type),
  events.map(({ at }) => at.toISOString()),
  events.map(({ atFrom }) => atFrom),
  events.map(({ eventSid }) => eventSid ?? null),
  events.map(({ sameAs }) => sameAs ?? null),
  events.map(({ sids }) => sids.join(' ')),
  events.map(({ data }) => data),
];

/** One statement does not see the rows that it inserts itself, so the third rule is applied to the batch here. */
function eachOnce(events: readonly ParsedEvent[]): ParsedEvent[] {
  const first = new Map<string, ParsedEvent>();
  return events.filter((event) => {
    const had = event.sameAs === undefined ? undefined : first.get(event.sameAs);
    if (had && (had.eventSid === undefined || event.eventSid === undefined)) return false;
    if (event.sameAs !== undefined && !had) first.set(event.sameAs, event);
    return true;
  });
}

async function setAside(
  db: Pick<Db, 'query'>,
  asides: readonly Aside[],
  source: EventSource,
  shard: string,
): Promise<void> {
  if (asides.length === 0) return;
  const kept = new Map<string, KeptAside>();
  for (const aside of asides) {
    const parts = [source, shard, aside.reason, aside.type ?? '', aside.raw ?? ''];
    const key = createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
    kept.set(key, { ...aside, key, count: (kept.get(key)?.count ?? 0) + 1 });
  }
  const rows = [...kept.values()];
  await db.query(
    `INSERT INTO events_set_aside AS had (key, reason, type, raw, sids, count, source, shard)
     SELECT key, reason, type, raw, string_to_array(sids, ' '), count, $7, $8
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
       AS one (key, reason, type, raw, sids, count)
     ON CONFLICT (key) DO UPDATE SET count = had.count + excluded.count, last_at = now()`,
    [
      rows.map(({ key }) => key),
      rows.map(({ reason }) => reason),
      rows.map(({ type }) => type ?? null),
      rows.map(({ raw }) => raw ?? null),
      rows.map(({ sids }) => sids.join(' ')),
      rows.map(({ count: times }) => times),
      source,
      shard,
    ],
  );
}

async function count(
  db: Pick<Db, 'query'>,
  { read, stored, duplicate, setAside: aside }: TakenIn,
  events: readonly ParsedEvent[],
  source: EventSource,
  shard: string,
): Promise<void> {
  const times = events.filter(({ atFrom }) => atFrom !== 'received').map(({ at }) => at.getTime());
  const newest = times.length === 0 ? null : new Date(times.reduce((a, b) => Math.max(a, b))).toISOString();
  await db.query(
    `INSERT INTO event_counters AS had (source, shard, read, stored, duplicate, set_aside, last_received_at, last_event_at)
     VALUES ($1, $2, $3, $4, $5, $6, now(), $7)
     ON CONFLICT (source, shard) DO UPDATE SET
       read = had.read + excluded.read, stored = had.stored + excluded.stored,
       duplicate = had.duplicate + excluded.duplicate, set_aside = had.set_aside + excluded.set_aside,
       last_received_at = excluded.last_received_at,
       last_event_at = greatest(had.last_event_at, excluded.last_event_at)`,
    [source, shard, read, stored, duplicate, aside, newest],
  );
}
