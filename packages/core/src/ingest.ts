import type { RecordingCallback } from './recording-callback.ts';
import type { AccountSid, RecordingSid, TaskSid } from './sids.ts';

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

/** Body of `POST /ingest/recordings`: what the Function received, as a hint. */
export type IngestRequest = RecordingCallback;

export interface Forwarding {
  /** The form has been handed on to Flex's own webhook already. */
  forwarded: boolean;
  /**
   * The task to hand it on for: the proven one, or the hinted one as long as nothing speaks against it. Absent where the
   * hints were refused or name none: a browser must not steer a recording to a task by way of Flex either.
   */
  forwardTo?: TaskSid;
}

/**
 * The host's answer: `copy` grants the caller the one lease on the recording; `done`, nothing is left to do; `busy`,
 * another process holds the lease; `host`, the host copies it itself.
 */
export type IngestAnswer = Forwarding &
  (
    | {
        action: 'copy';
        lease: string;
        /** Milliseconds from the answer until the lease lapses and the host takes over. */
        leaseMs: number;
        source: MediaSource;
        objectKey: string;
        /** Bytes per second that recent copies by a Function reached; decides whether one is begun. */
        rate: number;
      }
    | { action: 'done' | 'busy' | 'host' }
  );

/** Body of `POST /ingest/recordings/RE…/report`: how a lease ended. */
export type CopyReport =
  | { outcome: 'sealed'; lease: string; object: SealedObject; channels: 1 | 2; tookMs: number }
  | { outcome: 'handed-back'; lease: string; reason: 'too-long' | 'out-of-time' }
  | { outcome: 'failed'; lease: string; code: string; retryable: boolean }
  | { outcome: 'forwarded' };

/** Key of a recording's object in the bucket. */
export function objectKey(accountSid: AccountSid, recordingSid: RecordingSid): string {
  return `recordings/${accountSid}/${recordingSid}`;
}
