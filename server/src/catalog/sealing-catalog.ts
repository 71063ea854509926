import type { RecordingSid, SealedObject, Sidecar } from '@flex-custody/core';
import type { RecordingRow, Restoration } from './recording-row.ts';

/** The keys that seal recordings and sign sidecars, and the restoring of recordings from sidecars. */
export interface SealingCatalog {
  /** Replaces the object by a version of the same audio under another key, if the object is still `before`. */
  renewed(sid: RecordingSid, before: SealedObject, now: SealedObject): Promise<boolean>;
  /** Recordings that are sealed, or whose sidecars are sealed, by another key than the newest; by SID, after `after`. At most 1000. */
  sealedByOthers(
    of: { newest: string; from?: string },
    after: RecordingSid | undefined,
    limit: number,
  ): Promise<RecordingRow[]>;
  countSealedByOthers(of: { newest: string; from?: string }): Promise<number>;
  /**
   * Restores a recording from its sidecar; false if the catalog knows the recording. Its state is `sealed`, never
   * verified or proven. Without a signature its owner is a hint that the link has to prove.
   */
  restored(sidecar: Sidecar, from: Restoration): Promise<boolean>;
  /** Verified recordings whose sidecar is not signed, by SID, after `after`. At most 1000. */
  unsigned(after: RecordingSid | undefined, limit: number): Promise<RecordingRow[]>;
  countUnsigned(): Promise<number>;
  /** Whether any sidecar is signed. */
  everSigned(): Promise<boolean>;
  /** Ids of the keys that signed the newest sidecars. */
  newestSigners(): Promise<string[]>;
  /** Marks sidecars that other keys signed as unsigned, so that they are signed again. @returns how many */
  forgetSigners(listed: readonly string[]): Promise<number>;
}
