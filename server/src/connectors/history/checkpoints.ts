import type { Db } from '../../db/db.ts';
import type { HistoryOptions, HistoryResource } from './options.ts';

/** Until when an import has read a resource; epoch ms. */
export interface Checkpoint {
  until: number;
  /** Conversations before it that were open. */
  open: readonly string[];
}

/** An import of some channels says nothing of the others. */
const nameOf = (resource: HistoryResource, { channels }: Pick<HistoryOptions, 'channels'>): string =>
  channels ? `${resource}:${channels.join(',')}` : resource;

export async function readCheckpoint(
  db: Pick<Db, 'query'>,
  resource: HistoryResource,
  of: Pick<HistoryOptions, 'connector' | 'channels'>,
): Promise<Checkpoint | undefined> {
  const [row] = await db.query<{ place: { until?: unknown; open?: unknown } }>(
    'SELECT place FROM connector_checkpoints WHERE connector = $1 AND resource = $2',
    [of.connector, nameOf(resource, of)],
  );
  const until = Date.parse(String(row?.place.until));
  if (Number.isNaN(until)) return undefined;
  const open = Array.isArray(row?.place.open) ? row.place.open : [];
  return { until, open: open.filter((one): one is string => typeof one === 'string') };
}

export async function writeCheckpoint(
  db: Pick<Db, 'query'>,
  resource: HistoryResource,
  of: Pick<HistoryOptions, 'connector' | 'channels'>,
  { until, open }: Checkpoint,
): Promise<void> {
  const place = { until: new Date(until).toISOString(), open };
  await db.query(
    `INSERT INTO connector_checkpoints (connector, resource, place) VALUES ($1, $2, $3::jsonb)
     ON CONFLICT (connector, resource) DO UPDATE SET place = excluded.place, at = now()`,
    [of.connector, nameOf(resource, of), JSON.stringify(place)],
  );
}
