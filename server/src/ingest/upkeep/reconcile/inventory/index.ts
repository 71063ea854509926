import { CustodyError, errorCode, type RecordingSid, sidecarKey } from '@flex-custody/core';
import type { IngestDeps } from '../../../deps.ts';
import type { BucketKeys } from './bucket-keys.ts';
import { inventoryOf } from './inventory-of.ts';

export type { InventorySource } from '../../../inventory-source.ts';
export type { BucketKeys } from './bucket-keys.ts';
export { newestInventory } from './newest.ts';

type Deps = Pick<IngestDeps, 'alarms' | 'config' | 'inventory' | 'log' | 'runs' | 'store'>;

/**
 * The recordings' keys in the bucket, in byte order: of the inventory, where one is configured and can be used, and else of
 * a listing. They begin behind `after`, but for a store that cannot.
 */
export async function bucketKeys(
  deps: Deps,
  { after, dryRun, signal }: { after: RecordingSid | undefined; dryRun: boolean; signal: AbortSignal },
): Promise<BucketKeys> {
  const { alarms, config, inventory, log, store } = deps;
  const code = 'inventory_unusable';
  try {
    const found = inventory && (await inventoryOf({ ...deps, inventory }, { after, signal }));
    if (!dryRun) await alarms.resolve([code]);
    if (found) return found;
  } catch (error) {
    if (!isOfInventory(error)) throw error;
    const { message } = error;
    log.warn(
      { code: errorCode(error), reason: message },
      'the inventory cannot be used: the bucket is listed',
    );
    if (!dryRun) await alarms.raise(code, undefined, message);
  }
  // Behind the last key of that recording.
  const behind = after && sidecarKey(config.accountSid, after);
  return { keys: store.list(`recordings/${config.accountSid}/`, { after: behind }) };
}

/**
 * What concerns the inventory alone. What passes by itself, of its bucket too, is left to the next try: listing a very large
 * bucket for it would cost more.
 */
function isOfInventory(error: unknown): error is CustodyError {
  return (
    error instanceof CustodyError &&
    /^(inventory_unusable$|object_|store_)/.test(error.code) &&
    error.code !== 'store_unavailable' &&
    error.code !== 'store_busy'
  );
}
