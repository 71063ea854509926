import type { Readable } from 'node:stream';
import { CustodyError } from '@flex-custody/core';
import type { Custody } from '../access/audit.ts';
import type { RecordingRow } from '../catalog/recording-row.ts';
import type { MediaOrigin } from './media-link.ts';

/** A recording's audio, opened and ready to be read once. */
export interface Audio {
  /** Strong entity tag, quotes included; absent where the origin has none. */
  readonly etag?: string;
  /** Bytes of the whole WAV; absent where the origin does not say. */
  readonly bytes?: number;
  /** The whole, or the bytes [start, end], both inclusive. Ends short of that only with an error. */
  read(range?: { start: number; end: number }): Promise<Readable>;
  /** Lets go of what was opened, when nothing is to be read. */
  discard(): void;
}

export type StoredRecording = RecordingRow & { object: NonNullable<RecordingRow['object']> };

/** True where the sealed copy is there to be played; a copy that could not be proven is not. */
export function isStored(row: RecordingRow): row is StoredRecording {
  return row.object !== undefined && (row.state === 'sealed' || row.state === 'verified');
}

/** Where a recording plays from now; undefined where there is no audio at all. */
export function originOf(row: RecordingRow): MediaOrigin | undefined {
  if (row.state === 'absent' || row.state === 'erased' || row.intent) return undefined;
  if (isStored(row)) return 'vault';
  // Ciphertext from Twilio would be played as noise.
  return row.sourceEncrypted ? undefined : 'twilio';
}

/**
 * Of a link that was issued before: from the intent on nothing of it plays, wherever its audio lies.
 * @throws CustodyError `recording_erased` (410)
 */
export function refuseErased(row: RecordingRow): void {
  if (row.state !== 'erased' && !row.intent) return;
  throw new CustodyError('recording_erased', 'the recording is erased, or about to be');
}

/** What is known of the audio that is played now. */
export function custodyOf(row: RecordingRow): Custody {
  if (!isStored(row)) return 'twilio';
  if (row.state !== 'verified') return 'unverified';
  return row.proof ? 'proven' : 'verified';
}

/** What a link to the vault is pinned to. */
export function versionOf({ object }: StoredRecording): string {
  return object.versionId ?? object.etag;
}
