import type { Store } from '@flex-custody/vault';
import type { InventoryKeys } from '../catalog/inventory-keys.ts';

/** S3's inventory of the bucket's keys. */
export interface InventorySource {
  /** The bucket to which S3 writes the inventory. */
  store: Pick<Store, 'bucket' | 'close' | 'get' | 'list'>;
  /** Empty, or with a slash at its end. */
  prefix: string;
  keys: InventoryKeys;
}
