import type { Alarms } from '../alarms/alarms.ts';
import type { Db } from '../db/db.ts';

const minutes = 5;

/**
 * Raises `event_lag` while even the newest of what a source brings happened more than five minutes before it came. Without
 * events nothing is known, and the alarm stays as it is. Gap repair brings old events on purpose, and a browser
 * without a network reports late.
 */
export async function watchLag({
  alarms,
  db,
}: {
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  db: Pick<Db, 'query'>;
}): Promise<void> {
  const rows = await db.query<{ source: string; shard: string; minutes: number }>(
    `SELECT source, shard, (min(extract(epoch FROM received_at - at)) / 60)::double precision AS minutes
     FROM agent_events
     WHERE received_at > now() - interval '${minutes} minutes' AND source IN ('kinesis', 'webhook') AND at_from <> 'received'
     GROUP BY source, shard ORDER BY minutes DESC`,
  );
  if (rows.length === 0) return;
  const late = rows.filter((row) => row.minutes > minutes);
  if (late.length === 0) return alarms.resolve(['event_lag']);
  const named = late
    .slice(0, 3)
    .map(({ source, shard, minutes: lag }) => `${[source, shard].join(' ').trim()}: ${Math.round(lag)} min`);
  await alarms.raise('event_lag', undefined, named.join(', '));
}
