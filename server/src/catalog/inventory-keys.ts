import { randomInt } from 'node:crypto';
import { CustodyError, type RecordingSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';
import type { Marks } from './marks.ts';

/** One object of a recording in the bucket: the copy or the sidecar. */
export interface InventoryKey {
  sid: RecordingSid;
  /** The recording's sidecar; otherwise its object. */
  sidecar: boolean;
  /** As S3 gives it, quotes included. */
  etag: string;
  lastModified: Date;
}

/** An inventory whose keys are all in the database. */
export interface LoadedInventory {
  /** Number of this load. */
  load: number;
  /** Key of its manifest, which identifies the inventory. */
  manifest: string;
  keys: number;
}

/**
 * The keys of one inventory, in the order in which the bucket would list them. The database holds one inventory: loading
 * another replaces it.
 */
export interface InventoryKeys {
  /** Undefined if none was loaded completely, or if a crash of the database has emptied the table. */
  loaded(): Promise<LoadedInventory | undefined>;
  /** Removes the loaded keys. @returns the number of a new load, for {@link put} and {@link finish} */
  begin(): Promise<number>;
  /** At most 1000 at a time. @returns how many of them were new */
  put(load: number, keys: readonly InventoryKey[]): Promise<number>;
  /** From now on it is {@link loaded}. */
  finish(inventory: LoadedInventory): Promise<void>;
  /**
   * At most 1000 keys after `after`, which is a key, or a SID whose keys are all skipped. A recording with an open alarm
   * `object_lost` has an empty ETag, because the inventory may be older than the loss.
   * @throws CustodyError `inventory_gone` (retryable) if another load has replaced this one
   */
  page(
    load: number,
    after: Pick<InventoryKey, 'sid' | 'sidecar'> | RecordingSid | undefined,
  ): Promise<InventoryKey[]>;
}

/** Name of the mark that says which inventory is loaded. */
const markName = 'inventory';
export const inventoryPage = 1_000;

interface Row {
  recording_sid: RecordingSid;
  sidecar: boolean;
  etag: string;
  last_modified: Date;
}

export function createInventoryKeys(db: Db, marks: Marks): InventoryKeys {
  const hasKeys = async (load: number): Promise<boolean> =>
    (await db.query('SELECT 1 FROM inventory_keys WHERE load = $1 LIMIT 1', [load])).length > 0;

  const loaded = async (): Promise<LoadedInventory | undefined> => {
    const { load, manifest, keys } = (await marks.mark(markName)) ?? {};
    if (typeof load !== 'number' || typeof manifest !== 'string' || typeof keys !== 'number')
      return undefined;
    return keys === 0 || (await hasKeys(load)) ? { load, manifest, keys } : undefined;
  };

  return {
    loaded,
    async begin() {
      // A mark without rows counts as no mark: see `loaded`.
      await db.query('TRUNCATE inventory_keys');
      return randomInt(2 ** 31 - 1);
    },
    async put(load, keys) {
      const [row] = await db.query<{ n: number }>(
        `WITH put AS (
           INSERT INTO inventory_keys (load, recording_sid, sidecar, etag, last_modified)
           SELECT $1, recording_sid, sidecar, etag, last_modified::timestamptz
           FROM unnest($2::text[], $3::boolean[], $4::text[], $5::text[]) AS key (recording_sid, sidecar, etag, last_modified)
           ON CONFLICT DO NOTHING RETURNING 1
         ) SELECT count(*)::int AS n FROM put`,
        [
          load,
          keys.map(({ sid }) => sid),
          keys.map(({ sidecar }) => sidecar),
          keys.map(({ etag }) => etag),
          keys.map(({ lastModified }) => lastModified.toISOString()),
        ],
      );
      return row?.n ?? 0;
    },
    finish: (inventory) => marks.setMark(markName, { ...inventory }),
    async page(load, after) {
      const [sid, sidecar] =
        typeof after === 'string' ? [after, true] : [after?.sid ?? '', after?.sidecar ?? true];
      const rows = await db.query<Row>(
        `SELECT key.recording_sid, key.sidecar, key.last_modified,
           CASE WHEN EXISTS (
             SELECT FROM alarms WHERE alarms.recording_sid = key.recording_sid COLLATE "default"
               AND code = 'object_lost' AND cleared_at IS NULL
           ) THEN '' ELSE key.etag END AS etag
         FROM inventory_keys key
         WHERE load = $1 AND (key.recording_sid, key.sidecar) > ($2::text COLLATE "C", $3::boolean)
         ORDER BY key.recording_sid, key.sidecar LIMIT ${inventoryPage}`,
        [load, sid, sidecar],
      );
      // A short page is the last one, or another load or a crash has emptied the table.
      if (rows.length < inventoryPage && (await loaded())?.load !== load) throw gone();
      return rows.map((row) => ({
        sid: row.recording_sid,
        sidecar: row.sidecar,
        etag: row.etag,
        lastModified: row.last_modified,
      }));
    },
  };
}

const gone = () =>
  new CustodyError(
    'inventory_gone',
    'another inventory has replaced this one: the run continues with the new one',
  );
