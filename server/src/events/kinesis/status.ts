import type { StatusPart } from '../status-part.ts';

const secondsSince = (at: string) => `round(extract(epoch FROM now() - ${at}))::int`;

/** The shards that are not read to their end, by stream. */
export const shardStatus: StatusPart = {
  name: 'shards',
  title: 'Shards',
  columns: {
    stream: 'STREAM',
    shard: 'SHARD',
    state: 'STATE',
    owner: 'READ BY',
    behindMs: 'BEHIND MS',
    readSeconds: 'READ S AGO',
    checkpointSeconds: 'CHECKPOINT S AGO',
    perSecond: 'EVENTS/S',
  },
  read: (db) =>
    db.query(
      `SELECT stream, shard, behind_ms AS "behindMs", ${secondsSince('read_at')} AS "readSeconds",
         ${secondsSince('checkpoint_at')} AS "checkpointSeconds",
         CASE WHEN is_taken THEN owner END AS owner, CASE WHEN is_taken THEN round(per_second::numeric, 1)::float8 ELSE 0 END AS "perSecond",
         CASE WHEN NOT is_taken THEN 'free' WHEN waits THEN 'waits for its parents' ELSE 'taken' END AS state
       FROM (
         SELECT *, owner IS NOT NULL AND expires_at > now() AS is_taken,
           EXISTS (SELECT 1 FROM shard_leases parent WHERE parent.stream = lease.stream
                   AND parent.shard = ANY(lease.parents) AND parent.state = 'open') AS waits
         FROM shard_leases lease WHERE state = 'open'
       ) seen ORDER BY stream, shard`,
    ),
};

/** The processes that follow a stream and are alive. */
export const readerStatus: StatusPart = {
  name: 'nodes',
  title: 'Nodes',
  columns: { stream: 'STREAM', owner: 'NODE', since: 'SINCE', shards: 'SHARDS', perSecond: 'EVENTS/S' },
  read: (db) =>
    db.query(
      `SELECT reader.stream, reader.owner, reader.since, count(lease.shard)::int AS shards,
         round(coalesce(sum(lease.per_second), 0)::numeric, 1)::float8 AS "perSecond"
       FROM stream_readers reader LEFT JOIN shard_leases lease
         ON lease.stream = reader.stream AND lease.owner = reader.owner AND lease.expires_at > now() AND lease.state = 'open'
       WHERE reader.expires_at > now()
       GROUP BY reader.stream, reader.owner, reader.since ORDER BY reader.stream, reader.owner`,
    ),
};
