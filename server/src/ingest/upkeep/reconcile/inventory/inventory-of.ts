import { objectKey, type RecordingSid, sidecarKey } from '@flex-custody/core';
import {
  type InventoryKey,
  type InventoryKeys,
  inventoryPage,
  type LoadedInventory,
} from '../../../../catalog/inventory-keys.ts';
import type { Work } from '../../../../runs/runs.ts';
import type { IngestDeps } from '../../../deps.ts';
import type { InventorySource } from '../../../inventory-source.ts';
import type { BucketKeys } from './bucket-keys.ts';
import type { Entry } from './entry.ts';
import { loadInventory } from './load.ts';
import type { Manifest } from './manifest.ts';
import { newestInventory } from './newest.ts';

type Deps = Pick<IngestDeps, 'config' | 'log' | 'runs' | 'store'>;
type LoadingDeps = Deps & { inventory: InventorySource };

/**
 * The keys of the newest inventory. It is loaded into the database once: a pass that continues after `after` reads them
 * there.
 * @throws CustodyError `inventory_unusable` if none can be read, `object_*`, `store_*`; `run_busy` while another process
 * loads it; while the keys are read, `inventory_gone` (retryable) if another load has replaced them
 */
export async function inventoryOf(
  deps: LoadingDeps,
  { after, signal }: { after: RecordingSid | undefined; signal: AbortSignal },
): Promise<Required<BucketKeys>> {
  const { config, inventory, store } = deps;
  const manifest = await newestInventory({ ...inventory, sourceBucket: store.bucket });
  const { load } = (await alreadyLoaded(inventory.keys, manifest)) ?? (await loadNow(deps, manifest, signal));
  const keys = pagesOf(inventory.keys, load, config.accountSid, after, signal);
  return { asOf: manifest.createdAt, keys };
}

async function alreadyLoaded(keys: InventoryKeys, manifest: Manifest): Promise<LoadedInventory | undefined> {
  const loaded = await keys.loaded();
  return loaded?.manifest === manifest.key ? loaded : undefined;
}

async function loadNow(
  { config, inventory, log, runs }: LoadingDeps,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<LoadedInventory> {
  const prefix = `recordings/${config.accountSid}/`;
  let loaded: LoadedInventory | undefined;
  // Only one process at a time can have a run of this name.
  const work: Work = async (run) => {
    loaded = await loadInventory(inventory, prefix, manifest, run);
  };
  await runs.run('inventory', { manifest: manifest.key }, work, signal);
  if (!loaded) throw new Error('a run without an end');
  log.info({ inventory: manifest.key, keys: loaded.keys }, 'an inventory of the bucket is loaded');
  return loaded;
}

async function* pagesOf(
  keys: InventoryKeys,
  load: number,
  accountSid: Deps['config']['accountSid'],
  after: RecordingSid | undefined,
  signal: AbortSignal,
): AsyncGenerator<Entry> {
  for (let last: InventoryKey | RecordingSid | undefined = after; ; ) {
    signal.throwIfAborted();
    const page: InventoryKey[] = await keys.page(load, last);
    for (const { sid, sidecar, etag, lastModified } of page)
      yield { key: (sidecar ? sidecarKey : objectKey)(accountSid, sid), etag, lastModified };
    last = page.at(-1);
    if (page.length < inventoryPage) return;
  }
}
