import type { Readable } from 'node:stream';
import { CustodyError } from '@flex-custody/core';
import type { Custody } from '../access/audit.ts';
import type { RecordingRow } from '../catalog/recording-row.ts';
import type { MediaOrigin } from './media-link.ts';

/** A recording's audio, opened and ready to be read once. */
export interface Audio {
  /** Strong entity tag, quotes included; absent if the origin has none. */
  readonly etag?: string;
  /** Bytes of the whole WAV; absent if the origin does not say. */
  readonly bytes?: number;
  /** The whole, or the bytes [start, end], both inclusive. A stream that ends earlier ends with an error. */
  read(range?: { start: number; end: number }): Promise<Readable>;
  /** Closes what was opened, if nothing will be read. */
  discard(): void;
}

export type StoredRecording = RecordingRow & { object: NonNullable<RecordingRow['object']> };

/** True if the sealed copy can be played; a copy that could not be proven cannot. */
export function isStored(row: RecordingRow): row is StoredRecording {
  return row.object !== undefined && (row.state === 'sealed' || row.state === 'verified');
}

/** Where the host reads the audio of a recording; undefined if there is none. */
export function originOf(row: RecordingRow): MediaOrigin | undefined {
  if (row.state === 'absent' || row.state === 'erased' || row.intent) return undefined;
  if (isStored(row)) return 'vault';
  // Media that Twilio has encrypted would play as noise.
  return row.sourceEncrypted ? undefined : 'twilio';
}

/**
 * For a link that was issued earlier: once the erasure is intended, nothing of the recording plays, wherever its audio is.
 * @throws CustodyError `recording_erased` (410)
 */
export function refuseErased(row: RecordingRow): void {
  if (row.state !== 'erased' && !row.intent) return;
  throw new CustodyError('recording_erased', 'the recording is erased, or about to be');
}

/** State of the audio that is played. */
export function custodyOf(row: RecordingRow): Custody {
  if (!isStored(row)) return 'twilio';
  if (row.state !== 'verified') return 'unverified';
  return row.proof ? 'proven' : 'verified';
}

/** The version or ETag to which a link to the copy is bound. */
export function versionOf({ object }: StoredRecording): string {
  return object.versionId ?? object.etag;
}
