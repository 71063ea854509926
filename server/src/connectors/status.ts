import type { Db } from '../db/db.ts';
import { countOutbox, mostCounted } from './outbox-counts.ts';
import { pauseNotes } from './pause-note.ts';

/** A class of requests, as the other system's answers last described its limit. */
export interface RateOfClass {
  name: string;
  limit?: number;
  remaining?: number;
  resetsAt?: Date;
  /** No request of the class begins before. */
  pausedUntil?: Date;
}

/** The state of a connector, as `flex-custody connector status` prints it. */
export interface ConnectorStatus {
  connector: string;
  /** It is switched on, and nothing pauses it. */
  connected: boolean;
  /** Why nothing is sent at present. */
  paused?: { reason: string; sinceAt: Date };
  /** When an event was last sent; null before the first. */
  lastSync: string | null;
  conversationsTracked: number;
  /** Customers that the other system has. */
  customersLinked: number;
  /** Agents of whom a day of the last 30 has activity. */
  agentsMonitored: number;
  /** A count above is the database's estimate, since it is large. */
  estimated?: true;
  /** Events that are to be sent, at present or once they are due. This count and those below end at 10,000. */
  pending: number;
  /** Dead letters: `connector failed` lists them. */
  failed: number;
  /** Events of which it is not known whether they were taken. */
  uncertain: number;
  /** How long ago the oldest pending event was due; absent where none is. */
  behindSeconds?: number;
  rate: { eventsLastMinute: number; classes: readonly RateOfClass[] };
  /** How far each import of the past has come. */
  imports: readonly { resource: string; lastAt: Date }[];
  /** When something was last noted, such as a request of the plugin's listener. */
  notes: readonly { name: string; lastAt: Date }[];
}

/** Rows that a status counts one by one; of more the database has an estimate, so that the cost is bounded. */
const counted = mostCounted;

/** The mark that the triggers of the tables ask for. */
export const switchedOn = 'connectors';

/** Whether a connector is switched on, and why nothing is sent at present. */
export interface ConnectorState {
  on: boolean;
  paused?: { reason: string; sinceAt: Date };
}

export async function connectorState(db: Pick<Db, 'query'>, connector: string): Promise<ConnectorState> {
  const [mark] = await db.query<object>('SELECT 1 FROM marks WHERE name = $1', [switchedOn]);
  const pause = await pauseNotes(db, connector).read();
  return {
    on: mark !== undefined,
    ...(pause && { paused: { reason: pause.reason, sinceAt: new Date(pause.since) } }),
  };
}

/** Only reads. */
export async function connectorStatus(db: Pick<Db, 'query'>, connector: string): Promise<ConnectorStatus> {
  const [conversations, customers] = await Promise.all([
    boundedCount(db, connector, 'connector_interactions', 'contact', 'merged_into', 'merged_into IS NULL'),
    boundedCount(db, connector, 'connector_customers', 'digest', 'sent_version', 'sent_version > 0'),
  ]);
  const { states, oldestDueMs } = await countOutbox(db, connector);
  const { on, paused } = await connectorState(db, connector);
  return {
    connector,
    connected: on && paused === undefined,
    ...(paused && { paused }),
    lastSync: (await lastSent(db, connector))?.toISOString() ?? null,
    conversationsTracked: conversations.n,
    customersLinked: customers.n,
    agentsMonitored: await agents(db),
    ...((conversations.isEstimate || customers.isEstimate) && { estimated: true }),
    ...{ pending: states.waiting + states.sending, failed: states.failed, uncertain: states.uncertain },
    ...(oldestDueMs > 0 && { behindSeconds: Math.round(oldestDueMs / 1_000) }),
    rate: { eventsLastMinute: await sentLastMinute(db, connector), classes: await classesOf(db, connector) },
    imports: await importsOf(db, connector),
    notes: await notesOf(db, connector),
  };
}

/** Exact up to {@link counted} rows; above, the planner's number of rows of the whole table. */
async function boundedCount(
  db: Pick<Db, 'query'>,
  connector: string,
  table: string,
  order: string,
  column: string,
  counts: string,
): Promise<{ n: number; isEstimate: boolean }> {
  const [row] = await db.query<{ n: number; seen: number; estimate: number }>(
    `SELECT count(*) FILTER (WHERE ${counts})::int AS n, count(*)::int AS seen,
       (SELECT reltuples::float8 FROM pg_class WHERE oid = '${table}'::regclass) AS estimate
     FROM (SELECT ${column} FROM ${table} WHERE connector = $1 ORDER BY connector, ${order} LIMIT ${counted}) bounded`,
    [connector],
  );
  const { n = 0, seen = 0, estimate = 0 } = row ?? {};
  if (seen < counted) return { n, isEstimate: false };
  return { n: Math.max(n, Math.round(estimate)), isEstimate: true };
}

async function lastSent(db: Pick<Db, 'query'>, connector: string): Promise<Date | undefined> {
  const [row] = await db.query<{ at: Date }>(
    `SELECT sent_at AS at FROM connector_effects WHERE connector = $1 AND sent_at IS NOT NULL
     ORDER BY sent_at DESC LIMIT 1`,
    [connector],
  );
  return row?.at;
}

async function sentLastMinute(db: Pick<Db, 'query'>, connector: string): Promise<number> {
  const [row] = await db.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM connector_effects
     WHERE connector = $1 AND sent_at IS NOT NULL AND sent_at > now() - interval '1 minute'`,
    [connector],
  );
  return row?.n ?? 0;
}

async function agents(db: Pick<Db, 'query'>): Promise<number> {
  const [row] = await db.query<{ n: number }>(
    'SELECT count(DISTINCT worker)::int AS n FROM connector_agent_days WHERE day > current_date - 30',
  );
  return row?.n ?? 0;
}

const notesOf = (db: Pick<Db, 'query'>, connector: string): Promise<{ name: string; lastAt: Date }[]> =>
  db.query(
    `SELECT name, at AS "lastAt" FROM connector_notes
     WHERE connector = $1 AND name IN ('listener', 'webhook') ORDER BY name`,
    [connector],
  );

async function classesOf(db: Pick<Db, 'query'>, connector: string): Promise<RateOfClass[]> {
  const rows = await db.query<{
    name: string;
    limit_of_window: number | null;
    remaining: number | null;
    resets_at: Date | null;
    paused_until: Date | null;
  }>(
    `SELECT name, limit_of_window, remaining, resets_at,
       CASE WHEN paused_until > now() THEN paused_until END AS paused_until
     FROM request_budgets WHERE starts_with(name, $1) ORDER BY name`,
    [connector],
  );
  return rows.map((row) => ({
    name: row.name,
    ...(row.limit_of_window !== null && { limit: row.limit_of_window }),
    ...(row.remaining !== null && { remaining: row.remaining }),
    ...(row.resets_at && { resetsAt: row.resets_at }),
    ...(row.paused_until && { pausedUntil: row.paused_until }),
  }));
}

const importsOf = (db: Pick<Db, 'query'>, connector: string): Promise<{ resource: string; lastAt: Date }[]> =>
  db.query(
    'SELECT resource, at AS "lastAt" FROM connector_checkpoints WHERE connector = $1 ORDER BY resource',
    [connector],
  );
