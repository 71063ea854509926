import type { Store } from '@flex-custody/vault';
import type { InventoryKeys } from '../../../catalog/inventory-keys.ts';
import type { Entry } from './entry.ts';

/** S3's own list of the bucket's keys. */
export interface InventorySource {
  /** The bucket that S3 writes it to. */
  store: Pick<Store, 'bucket' | 'close' | 'get' | 'list'>;
  /** Empty, or with a slash at its end. */
  prefix: string;
  keys: InventoryKeys;
}

export interface BucketKeys {
  /**
   * When the inventory was begun; undefined where the bucket was listed. What is newer is not in it, and what it has may be
   * gone.
   */
  asOf?: Date;
  /** By key, in byte order, below `recordings/<account>/`. */
  keys: AsyncIterable<Entry>;
}
