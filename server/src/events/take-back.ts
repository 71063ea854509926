import type { Db } from '../db/db.ts';
import { lockInbox } from '../db/erased-sids.ts';
import type { EventSource } from './agent-event.ts';
import { isHandled, typeOf } from './event-types.ts';
import { type ParsedEvent, parseEvent } from './parse-event.ts';
import { storeEvents, withoutErased } from './write-events.ts';

export interface TakeBackDeps {
  db: Pick<Db, 'query' | 'transaction'>;
  /** Whose events are taken in. */
  accounts: readonly string[];
}

interface Row {
  key: string;
  raw: string;
  source: EventSource;
  shard: string;
  count: number;
  first_at: Date;
}

/** Rows of one transaction. */
const slice = 100;
const limitMs = 30_000;

/**
 * Takes in events that an earlier release set aside, because it did not know their type, if this release handles it.
 * @returns how many records are no longer set aside
 */
export async function takeBackSetAside(deps: TakeBackDeps, signal: AbortSignal): Promise<number> {
  let taken = 0;
  const found = await deps.db.query<{ type: string }>(
    `SELECT DISTINCT type FROM events_set_aside WHERE reason = 'unknown_type'`,
  );
  const types = found.flatMap(({ type }) => (isHandled(typeOf(type)) ? [type] : []));
  if (types.length === 0) return 0;
  // Each row is read once, whatever becomes of it.
  for (let after: string | undefined = ''; after !== undefined; ) {
    signal.throwIfAborted();
    const from: string = after;
    const rows = await deps.db.transaction((inner) => takeSlice(inner, deps.accounts, types, from), limitMs);
    after = rows.at(-1)?.key;
    taken += rows.length;
  }
  return taken;
}

async function takeSlice(
  db: Pick<Db, 'query'>,
  accounts: readonly string[],
  types: readonly string[],
  after: string,
): Promise<readonly Row[]> {
  await lockInbox(db);
  const rows = await db.query<Row>(
    `SELECT key, raw, source, shard, count, first_at FROM events_set_aside
     WHERE reason = 'unknown_type' AND type = ANY($1::text[]) AND key > $2 ORDER BY key LIMIT ${slice}`,
    [types, after],
  );
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const name = JSON.stringify([row.source, row.shard]);
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  for (const group of groups.values()) await takeGroup(db, accounts, group);
  return rows;
}

/** Rows of one source and shard, whose counters change from set aside to stored and duplicate. */
async function takeGroup(
  db: Pick<Db, 'query'>,
  accounts: readonly string[],
  rows: readonly Row[],
): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const { source, shard } = first;
  const counts = new Map<ParsedEvent, number>();
  for (const { key, raw, count, first_at: receivedAt } of rows) {
    const parsed = parseEvent(raw, { accounts, source, receivedAt });
    if ('event' in parsed) counts.set(parsed.event, count);
    if ('event' in parsed || parsed.aside.raw === undefined)
      await db.query('DELETE FROM events_set_aside WHERE key = $1', [key]);
    else await db.query('UPDATE events_set_aside SET reason = $2 WHERE key = $1', [key, parsed.aside.reason]);
  }
  // An event of an erased call stays counted as set aside; nothing of it stays.
  const { events } = await withoutErased(db, [...counts.keys()]);
  const { stored } = await storeEvents(db, events, source, shard);
  const times = events.reduce((sum, event) => sum + (counts.get(event) ?? 0), 0);
  await db.query(
    `UPDATE event_counters SET stored = stored + $3, duplicate = duplicate + $4, set_aside = set_aside - $5
     WHERE source = $1 AND shard = $2`,
    [source, shard, stored, times - stored, times],
  );
}
