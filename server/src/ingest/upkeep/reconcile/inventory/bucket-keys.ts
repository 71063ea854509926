import type { Entry } from './entry.ts';

export interface BucketKeys {
  /**
   * When the inventory was begun; undefined where the bucket was listed. What is newer is not in it, and what it has may be
   * gone.
   */
  asOf?: Date;
  /** By key, in byte order, below `recordings/<account>/`. */
  keys: AsyncIterable<Entry>;
}
