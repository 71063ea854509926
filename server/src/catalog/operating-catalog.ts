import type { RecordingSid } from '@flex-custody/core';
import type { Behind } from '../db/pages.ts';
import type { CallerKeys, Counts, Listing, RecordingRow } from './recording-row.ts';

/** What operators use: lists, counts and retries. */
export interface OperatingCatalog {
  /** Newest first. Erased recordings can be listed by state, not by link. */
  list(listing: Listing): Promise<RecordingRow[]>;
  /** How many recordings follow a page of such a list; it counts no further than 10,000. */
  countBehind(of: Omit<Listing, 'limit'>): Promise<Behind>;
  counts(): Promise<Counts>;
  /**
   * A failed recording starts over with no attempts counted. If it has an object, the object may be good and is verified
   * first; otherwise the recording is copied again.
   */
  replayed(sid: RecordingSid): Promise<'sealed' | 'registered' | undefined>;
  /** Makes a link that was refused or found no task pending again; proven facts stay. */
  relink(sid: RecordingSid): Promise<boolean>;
  /** Raises the generation of its segment links and returns it; links of earlier generations no longer play. */
  bumpSegmentGeneration(sid: RecordingSid): Promise<number | undefined>;
  /** How many recordings and sidecars each key has sealed. */
  keyUse(): Promise<{ keyId: string; recordings: number; sidecars: number }[]>;
  /** How many sidecars each key has signed; without an id, those without a signature. */
  signers(): Promise<{ keyId?: string; sidecars: number }[]>;
  /** For calls that are not internal: how many recordings have a caller digest, by secret, and how many have none. */
  callerKeys(): Promise<CallerKeys>;
  /**
   * Adds this secret's id to each digest without one: the operator states that this secret made them.
   * @returns how many recordings changed
   */
  nameCallers(keyId: string): Promise<number>;
}
