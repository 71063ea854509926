import type { Entry } from './entry.ts';

export interface BucketKeys {
  /**
   * When the inventory was begun; undefined if the bucket was listed. Newer objects are missing from it, and listed ones
   * may have been deleted.
   */
  asOf?: Date;
  /** By key, in byte order, below `recordings/<account>/`. */
  keys: AsyncIterable<Entry>;
}
