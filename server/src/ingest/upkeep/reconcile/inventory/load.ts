import { asRecordingSid } from '@flex-custody/core';
import {
  type InventoryKey,
  type InventoryKeys,
  inventoryPage,
  type LoadedInventory,
} from '../../../../catalog/inventory-keys.ts';
import type { Run } from '../../../../runs/runs.ts';
import { type OpenFile, openFile } from './data-file.ts';
import type { Entry } from './entry.ts';
import type { Manifest } from './manifest.ts';
import type { InventoryPlace } from './newest.ts';

const saveEvery = 50;

/**
 * Loads the recordings' keys below `prefix` into the database, in place of those of the inventory before, because data
 * files are not sorted. It counts as loaded only if the MD5 of every file is right.
 * @throws CustodyError `inventory_unusable`, `object_*`, `store_*`, `run_taken`
 */
export async function loadInventory(
  { keys, store }: { keys: InventoryKeys; store: InventoryPlace['store'] },
  prefix: string,
  manifest: Manifest,
  run: Run,
): Promise<LoadedInventory> {
  const load = await keys.begin();
  let slice: InventoryKey[] = [];
  let slices = 0;
  let sum = 0;
  const put = async () => {
    run.signal.throwIfAborted();
    sum += await keys.put(load, slice);
    slice = [];
    slices += 1;
    if (slices % saveEvery === 0) await run.save({}, { done: sum });
  };
  for (const file of manifest.files) {
    const open = await openFile(store, file, run.signal);
    for await (const entry of await entriesOf(open, manifest)) {
      const key = keyOf(entry, prefix);
      if (key) slice.push(key);
      if (slice.length === inventoryPage) await put();
    }
  }
  await put();
  // A run that another process has taken over must not mark the inventory as loaded.
  await run.save({}, { done: sum });
  const loaded = { load, manifest: manifest.key, keys: sum };
  await keys.finish(loaded);
  return loaded;
}

/** The modules of both formats are imported on use, because most hosts have no inventory. */
async function entriesOf(
  file: OpenFile,
  { columns, format, width }: Manifest,
): Promise<AsyncGenerator<Entry>> {
  if (format === 'CSV') return (await import('./csv.ts')).csvEntries(file, columns, width);
  return (await import('./parquet.ts')).parquetEntries(file, columns);
}

function keyOf({ key, etag, lastModified }: Entry, prefix: string): InventoryKey | undefined {
  if (!key.startsWith(prefix)) return undefined;
  const [, name, ending] = /^(RE[0-9a-f]{32})(\.json)?$/.exec(key.slice(prefix.length)) ?? [];
  const sid = asRecordingSid(name);
  return sid && { sid, sidecar: ending !== undefined, etag, lastModified };
}
