import type { AccountSid, RecordingSid } from './sids.ts';

/** `envelope`: sealed by us before it leaves the process. `sse-kms`: S3 encrypts at rest and decrypts for its readers. */
export type StorageMode = 'envelope' | 'sse-kms';

/** A sealed copy in the bucket, as the writer of it reports it and verification proves it. */
export interface SealedObject {
  key: string;
  mode: StorageMode;
  /** Absent on a bucket without versioning. */
  versionId?: string;
  /** As S3 gave it, quotes included. */
  etag: string;
  /** Size of the object in the bucket. */
  bytes: number;
  /** Size of the audio inside it. */
  plaintextBytes: number;
  /**
   * SHA-256 of the audio, 64 hexadecimal digits. Absent where one process began the copy and another finished it, until
   * it is verified: a digest under way cannot move between processes, and `parts` replaces it.
   */
  plaintextSha256?: string;
  /** SHA-256 of every `bytes` of audio in order, the last of which may be shorter. */
  parts?: { bytes: number; sha256: readonly string[] };
  /** Key id that sealed it (envelope mode), or the KMS key's id. */
  keyId: string;
}

/** Which media to fetch: never a URL, which is built from these on the side that fetches. */
export interface MediaSource {
  accountSid: AccountSid;
  recordingSid: RecordingSid;
  /** `RequestedChannels` to ask for; a 400 falls back to 1. */
  channels: 1 | 2;
  /** Seconds, as Twilio states them (rounded to whole seconds); absent when Twilio does not. */
  durationSeconds?: number;
  /** Seconds that pauses of the kind `skip` left out: the audio may be shorter than the duration by as much. */
  pausedSeconds?: number;
}

/** Key of a recording's object in the bucket. */
export function objectKey(accountSid: AccountSid, recordingSid: RecordingSid): string {
  return `recordings/${accountSid}/${recordingSid}`;
}
