import type { Readable } from 'node:stream';
import type { StorageClass, StorageMode } from '@flex-custody/core';

export interface StoreConfig {
  bucket: string;
  region: string;
  /** Any S3 endpoint; AWS itself when absent. */
  endpoint?: string;
  pathStyle?: boolean;
  /** Without credentials here the AWS SDK's own chain finds them (role, profile, metadata). */
  accessKeyId?: string;
  secretAccessKey?: string;
  sessionToken?: string;
  mode: StorageMode;
  /** sse-kms mode: the KMS key; the bucket's default one when absent. */
  kmsKeyId?: string;
  /** sse-kms mode: keys that were used before, and whose objects still count. */
  olderKmsKeyIds?: readonly string[];
  /** Of recordings; the store's own default when absent. Every other object has that anyway. */
  storageClass?: StorageClass;
  /** Reads at once in each lane. */
  readsAtOnce?: number;
  /** How long a read waits for its turn, ms. */
  turnMs?: number;
}

export interface Stored {
  /** As S3 gave it, quotes included. */
  etag: string;
  /** Absent on a bucket without versioning. */
  versionId?: string;
  /** Bytes stored, or, of a ranged read, bytes in the body. */
  bytes: number;
  /** The KMS key that S3 used, where it used one. */
  kmsKeyId?: string;
  /** How S3 says that it is encrypted at rest: `AES256`, `aws:kms`, `aws:kms:dsse`. */
  encryption?: string;
  /** When it was read from the store. */
  lastModified?: Date;
  /** Object Lock on this version, on head; absent without one, and where the key may not see it ({@link Store.lockOf}). */
  lock?: ObjectLock;
}

/** A setting of the bucket, or why it is unavailable: the store knows no such setting, or the key may not read it. */
export type Setting<T> = { value: T } | { unavailable: 'unsupported' | 'denied' };

export type Versioning = 'enabled' | 'suspended' | 'never';

/** What keeps a version from being deleted. */
export interface ObjectLock {
  until?: Date;
  legalHold: boolean;
}

export interface PutOptions {
  /** Kept in the storage class that is configured for recordings. */
  isRecording?: boolean;
  signal?: AbortSignal;
}

export interface ListOptions {
  /** Only keys behind this one, which need not exist. */
  after?: string | undefined;
}

export interface GetOptions {
  /** First byte. */
  start?: number;
  /** Last byte, inclusive. */
  end?: number;
  ifMatch?: string;
  versionId?: string;
  signal?: AbortSignal;
  /** Whose connections it takes: players hold theirs for long, and work must not wait for them. `work` if not given. */
  lane?: Lane;
}

/** Reads for players, and all others. */
export type Lane = 'play' | 'work';

export interface StoredPart {
  /** From 1. */
  number: number;
  etag: string;
}

/** Bytes [start, end] of an object, both inclusive. */
export interface PartSource {
  key: string;
  versionId?: string;
  etag: string;
  start: number;
  end: number;
}

/** One version of an object, or the marker of its deletion. */
export interface StoredVersion {
  key: string;
  /** Absent on a bucket that never kept versions. */
  versionId?: string;
  bytes: number;
  etag: string;
  lastModified: Date;
  latest: boolean;
  deleteMarker: boolean;
}

/**
 * The bucket. Errors, of which meanings.ts is the table: object_missing (404), object_changed (412), object_range (416);
 * store_unavailable (503, retryable), which is temporary; store_denied, store_credentials, store_region, store_clock,
 * store_settings, store_key and store_full (503, retryable), which an operator corrects; store_archived (500) and
 * store_unsupported (501), which never pass by themselves. And of `get` store_busy (503, retryable): other readers have all
 * connections.
 */
export interface Store {
  readonly bucket: string;
  readonly mode: StorageMode;
  /** sse-kms mode: the keys whose objects count; none: those of any key of KMS. */
  readonly kmsKeyIds?: readonly string[];
  head(key: string, versionId?: string): Promise<Stored | undefined>;
  get(key: string, options?: GetOptions): Promise<Stored & { body: Readable; totalBytes: number }>;
  delete(key: string, versionId?: string): Promise<void>;
  /**
   * What locks a version, asked by the questions for it: a HEAD leaves out what the key may not know. `unknown`: these
   * credentials may not ask, and the bucket may have locks. Undefined: nothing locks it, or it is not there.
   */
  lockOf(key: string, versionId?: string): Promise<ObjectLock | 'unknown' | undefined>;
  /** Whether the bucket keeps versions now. */
  versioning(): Promise<Setting<Versioning>>;
  /** The same as a boolean: false also where the setting is unavailable. A caller that deletes by it asks each time. */
  keepsVersions(): Promise<boolean>;
  /** What the bucket has now, in the order of the keys' bytes. */
  list(
    prefix: string,
    options?: ListOptions,
  ): AsyncIterable<{ key: string; bytes: number; etag: string; lastModified: Date }>;
  unfinishedUploads(prefix: string): AsyncIterable<{ key: string; uploadId: string; startedAt: Date }>;
  abortUpload(key: string, uploadId: string): Promise<void>;
  /** Begins the upload of a recording in parts, with which another process may continue; its id. */
  beginUpload(key: string): Promise<string>;
  /** A part sent again replaces the one before. @throws upload_gone (409) when the upload is no more */
  sendPart(
    key: string,
    uploadId: string,
    number: number,
    body: Uint8Array,
    options?: { signal?: AbortSignal },
  ): Promise<StoredPart>;
  /**
   * A part copied from an object in the bucket, without its bytes passing here; at least 5 MiB but for the last.
   * @throws upload_gone, object_missing, object_changed where it has not this ETag
   */
  copyPart(key: string, uploadId: string, number: number, from: PartSource): Promise<StoredPart>;
  /** What has arrived. @throws upload_gone */
  parts(key: string, uploadId: string): AsyncIterable<StoredPart & { bytes: number }>;
  /** `bytes` is what the parts must come to. @throws upload_gone */
  completeUpload(key: string, uploadId: string, parts: readonly StoredPart[], bytes: number): Promise<Stored>;
  /** A small object, in one request. Whether one that was aborted has made the object is not known. */
  putBytes(key: string, bytes: Uint8Array, options?: PutOptions): Promise<Stored>;
  /** All versions and delete markers, newest first within a key; on a bucket or a store without versions its objects. */
  versions(prefix: string): AsyncIterable<StoredVersion>;
  /** A URL that plays the object, a WAV, for `seconds` without further credentials: for sse-kms mode. */
  presignGet(key: string, versionId: string | undefined, seconds: number): Promise<string>;
  /** Resolves when these credentials may write and list; otherwise the error's message says the next step. */
  check(): Promise<void>;
  close(): void;
}
