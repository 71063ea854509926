import type { ProofSoFar } from '../source/audio-proof.ts';

/** What the source was when the upload began: when it is anything else now, the upload is for nothing. */
export interface SourceIdentity {
  channels: 1 | 2;
  totalBytes?: number;
  etag?: string;
  lastModified?: string;
}

/**
 * How far a copy has come, as JSON that another process can go on from. It is saved before each part is sent: a part's
 * digest is saved here before its bytes can have arrived anywhere, so that no frame is ever sealed into the store with two
 * plaintexts under one nonce.
 */
export interface UploadState {
  version: 1;
  key: string;
  uploadId: string;
  /** The sealed message's header with its tag, base64; empty where S3 seals. It opens nothing without the key. */
  header: string;
  keyId: string;
  /** Bytes of audio in each part but the last. */
  partBytes: number;
  source: SourceIdentity;
  /** What the audio's head says of its whole. */
  wav: Omit<ProofSoFar, 'bytes'>;
  /** In order; `sha256` is of the part's audio. */
  parts: { sha256: string }[];
  /** The source has come to its proven end, and all parts were sent. */
  done?: { plaintextBytes: number; plaintextSha256?: string; bytes: number };
}
