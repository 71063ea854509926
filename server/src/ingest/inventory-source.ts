import type { Store } from '@flex-custody/vault';
import type { InventoryKeys } from '../catalog/inventory-keys.ts';

/** S3's own list of the bucket's keys. */
export interface InventorySource {
  /** The bucket that S3 writes it to. */
  store: Pick<Store, 'bucket' | 'close' | 'get' | 'list'>;
  /** Empty, or with a slash at its end. */
  prefix: string;
  keys: InventoryKeys;
}
