import type { RecordingSid } from '@flex-custody/core';
import type { Behind } from '../db/pages.ts';
import type { CallerKeys, Counts, Listing, RecordingRow } from './recording-row.ts';

/** What operators see and ask for: lists, numbers, and a second try. */
export interface OperatingCatalog {
  /** Newest first. Erased ones are listed by their state, and not by their link. */
  list(listing: Listing): Promise<RecordingRow[]>;
  /** How many are behind a page of such a list; not all of them, where there are more than 10,000. */
  countBehind(of: Omit<Listing, 'limit'>): Promise<Behind>;
  counts(): Promise<Counts>;
  /**
   * A failed recording starts over, its attempts forgotten: from its object where it has one, which may be good and is
   * verified again before anything is copied again.
   */
  replayed(sid: RecordingSid): Promise<'sealed' | 'registered' | undefined>;
  /** The link of one that was refused or found no task is tried again; what was proven of it stays. */
  relink(sid: RecordingSid): Promise<boolean>;
  /** The generation after it; links of earlier ones no longer play. */
  bumpSegmentGeneration(sid: RecordingSid): Promise<number | undefined>;
  /** How many recordings and sidecars each key has sealed. */
  keyUse(): Promise<{ keyId: string; recordings: number; sidecars: number }[]>;
  /** How many sidecars each key has signed; without an id, those without a signature. */
  signers(): Promise<{ keyId?: string; sidecars: number }[]>;
  /** Of calls that are not internal: how many recordings have a caller by which secret, and how many none. */
  callerKeys(): Promise<CallerKeys>;
  /** Names this secret in each digest that names none: an operator states that it made them. @returns of how many recordings */
  nameCallers(keyId: string): Promise<number>;
}
