import type { Db } from '../db/db.ts';
import { asCount, asText, fieldsIn } from '../recorder/sessions/facts/values.ts';
import { groupBy } from '../recorder/sessions/order.ts';

type Sql = Pick<Db, 'query'>;

/** What an agent did on one day of UTC. */
export interface AgentDay {
  /** Such as `2026-11-30`. */
  day: string;
  /** WK… */
  worker: string;
  /** Seconds by the activity's name. An activity counts once it has ended. */
  activities: Readonly<Record<string, number>>;
  /** Reservations that the agent completed. */
  handled: number;
  /** Transfers of the agent that succeeded. */
  transferred: number;
  wrapUpSeconds: number;
}

/** Rows of the inbox that one batch reads. */
const batchRows = 2_000;
/** Of an activity that lasted longer only its last days are counted, such as of an account that was offline for a year. */
const mostDays = 31;
const dayMs = 24 * 3_600_000;

const router = 'com.twilio.taskrouter.';
const types = [
  'worker.activity.update',
  'task.transfer-completed',
  'reservation.wrapup',
  'reservation.completed',
].map((type) => `${router}${type}`);
const activity = 'activity:';

interface Row {
  seq: number;
  type: string;
  at: Date;
  data: Readonly<Record<string, unknown>>;
}

/**
 * Counts what the inbox's next events say of agents, after a place of its own that commits with the counts.
 * @param db of a transaction that has the lock of the note `follow`
 * @returns whether there was something to read
 */
export async function followAgentDays(db: Sql, connector: string): Promise<boolean> {
  const [place] = await db.query<{ seq: number; last: number | null }>(
    `WITH place AS (
       SELECT coalesce((note->>'seq')::bigint, 0) AS seq FROM connector_notes WHERE connector = $1 AND name = 'follow'
     )
     SELECT place.seq, (SELECT max(seq) FROM (
       SELECT seq FROM agent_events WHERE seq > place.seq ORDER BY seq LIMIT ${batchRows}
     ) AS following) AS last FROM place`,
    [connector],
  );
  if (!place || place.last === null) return false;
  const rows = await db.query<Row>(
    `SELECT seq, type, at, data FROM agent_events WHERE seq > $1 AND seq <= $2 AND type = ANY($3::text[]) ORDER BY seq`,
    [place.seq, place.last, types],
  );
  await add(db, [...rows.flatMap(countsOf), ...(await wrapUpsOf(db, rows))]);
  await db.query(
    `UPDATE connector_notes SET note = note || jsonb_build_object('seq', $2::bigint), at = now()
     WHERE connector = $1 AND name = 'follow'`,
    [connector, place.last],
  );
  return true;
}

/** While activity is not kept: what happens meanwhile is not counted later either. @returns false: nothing was read */
export async function passAgentDays(db: Sql, connector: string): Promise<false> {
  await db.query(
    `UPDATE connector_notes SET note = note || jsonb_build_object('seq', last.seq), at = now()
     FROM (SELECT max(seq) AS seq FROM agent_events) AS last
     WHERE connector = $1 AND name = 'follow' AND last.seq > coalesce((note->>'seq')::bigint, 0)`,
    [connector],
  );
  return false;
}

interface Count {
  /** Epoch ms. */
  at: number;
  worker: string;
  measure: string;
  value: number;
}

const payloadOf = ({ data }: Pick<Row, 'data'>) => fieldsIn(data['payload'] ?? data);

function countsOf(row: Row): Count[] {
  const of = payloadOf(row);
  const at = row.at.getTime();
  const worker = asText(of('worker_sid'));
  if (row.type === `${router}worker.activity.update`) {
    const name = asText(of('worker_previous_activity_name'));
    const ms = asCount(of('worker_time_in_previous_activity_ms'));
    const seconds = asCount(of('worker_time_in_previous_activity'));
    const length = ms ?? (seconds === undefined ? undefined : seconds * 1000);
    if (!worker || !name || length === undefined) return [];
    return byDay(at - length, at, worker, `${activity}${name}`);
  }
  if (row.type === `${router}task.transfer-completed`) {
    const by = asText(of('transfer_initiating_worker_sid'));
    return by ? [{ at, worker: by, measure: 'transferred', value: 1 }] : [];
  }
  return row.type === `${router}reservation.completed` && worker
    ? [{ at, worker, measure: 'handled', value: 1 }]
    : [];
}

/** A span in seconds, cut at midnights of UTC. */
function byDay(from: number, to: number, worker: string, measure: string): Count[] {
  const counts: Count[] = [];
  for (let at = Math.max(from, to - mostDays * dayMs); at < to; ) {
    const end = Math.min(to, (Math.floor(at / dayMs) + 1) * dayMs);
    counts.push({ at, worker, measure, value: (end - at) / 1000 });
    at = end;
  }
  return counts;
}

/** Of reservations whose wrap-up and end are both in the inbox: whichever came second counts it. */
async function wrapUpsOf(db: Sql, rows: readonly Row[]): Promise<Count[]> {
  const own = rows.flatMap((row) => {
    const reservation = asText(payloadOf(row)('reservation_sid'));
    return row.type.startsWith(`${router}reservation.`) && reservation ? [{ row, reservation }] : [];
  });
  if (own.length === 0) return [];
  const found = await db.query<Row>(
    `SELECT seq, type, at, data FROM agent_events WHERE sids && $1::text[] AND type = ANY($2::text[]) ORDER BY seq`,
    [
      [...new Set(own.map(({ reservation }) => reservation))],
      types.filter((type) => type.startsWith(`${router}reservation.`)),
    ],
  );
  const all = groupBy(found, (row) => asText(payloadOf(row)('reservation_sid')));
  return own.flatMap(({ row, reservation }) => {
    const other = all.get(reservation)?.find(({ type }) => type !== row.type);
    const same = all.get(reservation)?.find(({ type }) => type === row.type);
    const worker = asText(payloadOf(row)('worker_sid'));
    if (!other || !worker || other.seq > row.seq || same?.seq !== row.seq) return [];
    const [from, to] = [other.at.getTime(), row.at.getTime()].toSorted((a, b) => a - b);
    return from === undefined || to === undefined ? [] : byDay(from, to, worker, 'wrap-up');
  });
}

async function add(db: Sql, counts: readonly Count[]): Promise<void> {
  const sums = new Map<string, Count & { day: string }>();
  for (const count of counts) {
    const day = new Date(count.at).toISOString().slice(0, 10);
    const key = JSON.stringify([day, count.worker, count.measure]);
    sums.set(key, { ...count, day, value: (sums.get(key)?.value ?? 0) + count.value });
  }
  if (sums.size === 0) return;
  const all = [...sums.values()];
  await db.query(
    `INSERT INTO connector_agent_days AS kept (day, worker, measure, value)
     SELECT * FROM unnest($1::date[], $2::text[], $3::text[], $4::float8[])
     ON CONFLICT (day, worker, measure) DO UPDATE SET value = kept.value + excluded.value`,
    [
      all.map(({ day }) => day),
      all.map(({ worker }) => worker),
      all.map(({ measure }) => measure),
      all.map(({ value }) => value),
    ],
  );
}

/** By day, then by worker. @param period days of UTC such as `2026-11-30`, both included */
export async function agentDays(db: Sql, { from, to }: { from: string; to: string }): Promise<AgentDay[]> {
  const rows = await db.query<{ day: string; worker: string; measures: Record<string, number> }>(
    `SELECT to_char(day, 'YYYY-MM-DD') AS day, worker, jsonb_object_agg(measure, value) AS measures
     FROM connector_agent_days WHERE day BETWEEN $1::date AND $2::date
     GROUP BY connector_agent_days.day, worker ORDER BY connector_agent_days.day, worker`,
    [from, to],
  );
  return rows.map(({ day, worker, measures }) => ({
    ...{ day, worker },
    activities: Object.fromEntries(
      Object.entries(measures).flatMap(([name, value]) =>
        name.startsWith(activity) ? [[name.slice(activity.length), value]] : [],
      ),
    ),
    handled: measures['handled'] ?? 0,
    transferred: measures['transferred'] ?? 0,
    wrapUpSeconds: measures['wrap-up'] ?? 0,
  }));
}
