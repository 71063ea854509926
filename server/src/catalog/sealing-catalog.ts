import type { RecordingSid, SealedObject, Sidecar } from '@flex-custody/core';
import type { RecordingRow, Restoration } from './recording-row.ts';

/** By which keys recordings are sealed and sidecars signed, and what is restored from a sidecar. */
export interface SealingCatalog {
  /** Another version of the same audio, sealed by another key, has taken its object's place, if it is still this one. */
  renewed(sid: RecordingSid, before: SealedObject, now: SealedObject): Promise<boolean>;
  /** Recordings that another key than the newest has sealed, or their sidecars; by SID, behind `after`. At most 1000. */
  sealedByOthers(
    of: { newest: string; from?: string },
    after: RecordingSid | undefined,
    limit: number,
  ): Promise<RecordingRow[]>;
  countSealedByOthers(of: { newest: string; from?: string }): Promise<number>;
  /**
   * Puts back what a sidecar says, into a catalog that knows nothing of it; false where it does. It is sealed then, never
   * verified or proven, and without a signature its owner is a hint that the link has to prove.
   */
  restored(sidecar: Sidecar, from: Restoration): Promise<boolean>;
  /** Verified recordings whose sidecar is not signed, by SID, behind `after`. At most 1000. */
  unsigned(after: RecordingSid | undefined, limit: number): Promise<RecordingRow[]>;
  countUnsigned(): Promise<number>;
  /** Whether any sidecar was signed. */
  everSigned(): Promise<boolean>;
  /** Ids of the keys that signed the newest sidecars. */
  newestSigners(): Promise<string[]>;
  /** Counts sidecars of other keys than these as unsigned, so that they are signed again. @returns how many */
  forgetSigners(listed: readonly string[]): Promise<number>;
}
