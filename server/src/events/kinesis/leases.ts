import type { Db } from '../../db/db.ts';
import type { ListedShard } from './kinesis.ts';

/** A shard that this process may read. */
export interface Lease {
  shard: string;
  /** The number of this taking; the lease is lost when the row has another. */
  counter: number;
  checkpoint?: string;
  /** Where reading begins without a checkpoint; absent: with the oldest record. */
  beginAt?: Date;
  /** How long ago the last record arrived before which all are stored, in ms; absent before the first read. */
  readToAgeMs?: number;
}

/** What a reader has done since the last beat. */
export interface Progress {
  lease: Lease;
  /** Since the last successful read, in ms; undefined before the first. */
  readAgeMs: number | undefined;
  behindMs: number;
  perSecond: number;
}

/** A shard that is not drained, as every process sees it. */
export interface ShardState {
  shard: string;
  owner: string | null;
  counter: number;
  /** No living process has it. */
  isFree: boolean;
  /** Every parent is drained. */
  isReady: boolean;
  /** Ready and taken for the time of the watchdog, without one successful read. */
  isSilent: boolean;
  /** Successfully read within the time of the watchdog. */
  isRead: boolean;
}

export interface StreamState {
  shards: ShardState[];
  /** The processes that are alive, in order. */
  owners: string[];
  /** When the last event arrived, or, without one, when the stream was first followed; undefined before the first listing. */
  lastEventAt: Date | undefined;
}

/** The leases of one stream, as one process takes and keeps them. */
export interface Leases {
  /**
   * Notes the shards that Kinesis lists.
   * @param first where a stream begins that was never followed; later shards begin with their oldest record
   */
  note(shards: readonly ListedShard[], first: 'trim_horizon' | 'latest'): Promise<void>;
  /** Prolongs this process and its leases. @returns the shards that it still has */
  beat(progress: readonly Progress[]): Promise<ReadonlySet<string>>;
  look(): Promise<StreamState>;
  /** Undefined if another process was faster. @param force also from a living owner */
  take(seen: ShardState, force: boolean): Promise<Lease | undefined>;
  /** Every record up to `sequence` is stored. False if the lease is lost. */
  checkpoint(lease: Lease, sequence: string, behindMs: number): Promise<boolean>;
  /** The shard is read to its end, or no longer exists. False if the lease is lost. */
  drained(lease: Lease): Promise<boolean>;
  release(lease: Lease): Promise<void>;
  /** This process ends. */
  leave(): Promise<void>;
}

export interface LeaseTimes {
  /** How long a lease lasts without a beat. */
  leaseMs: number;
  /** After so long without a successful read a shard is silent. */
  silentMs: number;
}

const inMs = (parameter: string) => `${parameter}::float8 * interval '1 millisecond'`;

/** A lease that ends later than any could was taken before the database's clock was set back. */
const isAlive = (leaseMs: string) =>
  `owner IS NOT NULL AND expires_at > now() AND expires_at < now() + 2 * ${inMs(leaseMs)}`;

const isReady = `NOT EXISTS (
  SELECT 1 FROM shard_leases parent
  WHERE parent.stream = lease.stream AND parent.shard = ANY(lease.parents) AND parent.state = 'open')`;

interface TakenRow {
  counter: number;
  checkpoint: string | null;
  begin_at: Date | null;
  read_to_age: number | null;
}

export function createLeases(
  db: Db,
  stream: string,
  owner: string,
  { leaseMs, silentMs }: LeaseTimes,
): Leases {
  const change = async (set: string, { shard, counter }: Lease, values: readonly unknown[] = []) => {
    const rows = await db.routine<object>(
      `UPDATE shard_leases SET ${set}
       WHERE stream = $1 AND shard = $2 AND owner = $3 AND counter = $4 AND state = 'open' RETURNING shard`,
      [stream, shard, owner, counter, ...values],
    );
    return rows.length > 0;
  };
  return {
    async note(shards, first) {
      const columns = [
        shards.map(({ shard }) => shard),
        shards.map(({ parents }) => JSON.stringify(parents)),
        shards.map(({ firstSequence }) => firstSequence),
        shards.map(({ isClosed }) => isClosed),
      ];
      await db.query(
        `WITH known AS (SELECT EXISTS (SELECT 1 FROM shard_leases WHERE stream = $1) AS is_known)
         INSERT INTO shard_leases AS lease (stream, shard, parents, first_sequence, state, begin_at)
         SELECT $1, shard, ARRAY(SELECT jsonb_array_elements_text(parents::jsonb)), first_sequence,
           CASE WHEN is_closed AND $6 AND NOT is_known THEN 'drained' ELSE 'open' END,
           CASE WHEN $6 AND NOT is_known THEN now() END
         FROM unnest($2::text[], $3::text[], $4::text[], $5::boolean[]) AS listed (shard, parents, first_sequence, is_closed), known
         ON CONFLICT (stream, shard) DO UPDATE SET
           parents = excluded.parents, first_sequence = excluded.first_sequence, state = 'open', begin_at = NULL,
           owner = NULL, counter = lease.counter + 1, expires_at = NULL, taken_at = NULL, checkpoint = NULL,
           checkpoint_at = NULL, read_at = NULL, read_to = NULL, behind_ms = NULL, created_at = now()
         WHERE lease.first_sequence <> excluded.first_sequence`,
        [stream, ...columns, first === 'latest'],
      );
      // What Kinesis no longer lists, nothing can be read of.
      await db.query(
        `DELETE FROM shard_leases WHERE stream = $1 AND state = 'drained' AND NOT shard = ANY($2::text[])`,
        [stream, columns[0]],
      );
    },
    async beat(progress) {
      await db.routine(
        `INSERT INTO stream_readers (stream, owner, expires_at) VALUES ($1, $2, now() + ${inMs('$3')})
         ON CONFLICT (stream, owner) DO UPDATE SET expires_at = excluded.expires_at`,
        [stream, owner, leaseMs],
      );
      if (progress.length === 0) return new Set();
      const rows = await db.routine<{ shard: string }>(
        `UPDATE shard_leases lease SET expires_at = now() + ${inMs('$3')},
           read_at = coalesce(now() - ${inMs('read_age')}, read_at),
           read_to = coalesce(now() - ${inMs('(read_age + behind)')}, read_to),
           behind_ms = CASE WHEN read_age IS NULL THEN lease.behind_ms ELSE behind END,
           per_second = rate
         FROM unnest($4::text[], $5::bigint[], $6::float8[], $7::float8[], $8::float8[])
           AS beat (shard, counter, read_age, behind, rate)
         WHERE lease.stream = $1 AND lease.owner = $2 AND lease.shard = beat.shard AND lease.counter = beat.counter
           AND lease.state = 'open'
         RETURNING lease.shard`,
        [
          stream,
          owner,
          leaseMs,
          progress.map(({ lease }) => lease.shard),
          progress.map(({ lease }) => lease.counter),
          progress.map(({ readAgeMs }) => readAgeMs ?? null),
          progress.map(({ behindMs }) => behindMs),
          progress.map(({ perSecond }) => perSecond),
        ],
      );
      return new Set(rows.map(({ shard }) => shard));
    },
    async look() {
      const shards = await db.routine<ShardState>(
        `SELECT shard, owner, counter, is_ready AS "isReady", is_free AS "isFree", coalesce(read_at > limit_at, false) AS "isRead",
           is_ready AND NOT is_free AND greatest(read_at, taken_at, ready_at) < limit_at AS "isSilent"
         FROM (
           SELECT *, NOT (${isAlive('$3')}) AS is_free, ${isReady} AS is_ready,
             now() - ${inMs('$2')} AS limit_at,
             (SELECT max(parent.read_at) FROM shard_leases parent
              WHERE parent.stream = lease.stream AND parent.shard = ANY(lease.parents)) AS ready_at
           FROM shard_leases lease WHERE stream = $1 AND state = 'open'
         ) seen ORDER BY shard`,
        [stream, silentMs, leaseMs],
      );
      const owners = await db.routine<{ owner: string }>(
        `SELECT owner FROM stream_readers WHERE stream = $1 AND ${isAlive('$2')} ORDER BY owner`,
        [stream, leaseMs],
      );
      const [last] = await db.routine<{ at: Date | null }>(
        'SELECT coalesce(max(event_at), min(created_at)) AS at FROM shard_leases WHERE stream = $1',
        [stream],
      );
      return { shards, owners: owners.map((row) => row.owner), lastEventAt: last?.at ?? undefined };
    },
    async take({ shard, counter }, force) {
      const [row] = await db.routine<TakenRow>(
        `UPDATE shard_leases SET owner = $2, counter = counter + 1, expires_at = now() + ${inMs('$5')}, taken_at = now()
         WHERE stream = $1 AND shard = $3 AND counter = $4 AND state = 'open'
           AND ($6 OR NOT (${isAlive('$5')}))
         RETURNING counter, checkpoint, begin_at, extract(epoch FROM now() - read_to)::float8 * 1000 AS read_to_age`,
        [stream, owner, shard, counter, leaseMs, force],
      );
      return (
        row && {
          shard,
          counter: row.counter,
          ...(row.checkpoint !== null && { checkpoint: row.checkpoint }),
          ...(row.begin_at && { beginAt: row.begin_at }),
          ...(row.read_to_age !== null && { readToAgeMs: row.read_to_age }),
        }
      );
    },
    checkpoint: (lease, sequence, behindMs) =>
      change(
        `checkpoint = $5, checkpoint_at = now(), event_at = now(), read_at = now(), read_to = now() - ${inMs('$6')},
         behind_ms = $6::float8, expires_at = now() + ${inMs('$7')}`,
        lease,
        [sequence, behindMs, leaseMs],
      ),
    drained: (lease) =>
      change(
        `state = 'drained', owner = NULL, expires_at = NULL, read_at = now(), behind_ms = 0, per_second = 0`,
        lease,
      ),
    async release(lease) {
      await change('owner = NULL, expires_at = NULL, per_second = 0', lease);
    },
    async leave() {
      await db.routine(
        `DELETE FROM stream_readers WHERE stream = $1 AND (owner = $2 OR expires_at < now() - interval '1 day')`,
        [stream, owner],
      );
    },
  };
}
