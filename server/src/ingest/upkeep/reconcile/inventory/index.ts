import { CustodyError, errorCode, type RecordingSid, sidecarKey } from '@flex-custody/core';
import type { IngestDeps } from '../../../deps.ts';
import type { BucketKeys } from './bucket-keys.ts';
import { inventoryOf } from './inventory-of.ts';

export type { InventorySource } from '../../../inventory-source.ts';
export type { BucketKeys } from './bucket-keys.ts';
export { newestInventory } from './newest.ts';

type Deps = Pick<IngestDeps, 'alarms' | 'config' | 'inventory' | 'log' | 'runs' | 'store'>;

/**
 * The recordings' keys in the bucket, in byte order: from the inventory, if one is configured and usable, otherwise from
 * a listing. They begin after `after`, unless the store cannot start there.
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
      'the inventory cannot be used: the host lists the bucket instead',
    );
    if (!dryRun) await alarms.raise(code, undefined, message);
  }
  // After the last key of that recording.
  const behind = after && sidecarKey(config.accountSid, after);
  return { keys: store.list(`recordings/${config.accountSid}/`, { after: behind }) };
}

/**
 * True for permanent faults of the inventory alone. A temporary fault, also of its bucket, is left to the next try,
 * because listing a very large bucket costs more.
 */
function isOfInventory(error: unknown): error is CustodyError {
  return (
    error instanceof CustodyError &&
    /^(inventory_unusable$|object_|store_)/.test(error.code) &&
    error.code !== 'store_unavailable' &&
    error.code !== 'store_busy'
  );
}
