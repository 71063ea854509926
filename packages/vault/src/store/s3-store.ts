import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { CustodyError, type StorageMode } from '@flex-custody/core';
import { compositeTag, stored } from './answers.ts';
import { createClient, REQUEST_MS } from './client.ts';
import { type DirectRequests, directRequests } from './direct.ts';
import { isUnexplained, setUpError, storeError } from './errors.ts';
import { failureOf } from './failure.ts';
import { Lanes } from './lanes.ts';
import { listObjects, listUploads, listVersions } from './lists.ts';
import { createLocks, type Locks, versioningOf } from './locks.ts';
import { AUDIO, type NewObject, newObject } from './new-object.ts';
import { failOnStall } from './stall.ts';
import type {
  GetOptions,
  Lane,
  ListOptions,
  PartSource,
  PutOptions,
  Store,
  StoreConfig,
  Stored,
  StoredPart,
} from './types.ts';

const STALL_MS = 30_000;
const CHECK_KEY = 'recordings/.check';

type Found = Stored & { body: Readable; totalBytes: number };

/** The bucket of `config`, at AWS or any other S3. Errors: see {@link Store}. */
export function createStore(config: StoreConfig): Store {
  return new S3Store(config);
}

class S3Store implements Store {
  readonly bucket: string;
  readonly mode: StorageMode;
  readonly kmsKeyIds: readonly string[];
  readonly #config: StoreConfig;
  readonly #client: S3Client;
  /** Apart from the writer's, and each lane's from the other's: a listener holds a connection for as long as he listens. */
  readonly #readers = new Map<Lane, S3Client>();
  readonly #lanes: Lanes;
  /** What S3 seals is left to the SDK: it signs the audio as well. */
  readonly #direct: DirectRequests | undefined;
  readonly #locks: Locks;

  constructor(config: StoreConfig) {
    this.bucket = config.bucket;
    this.mode = config.mode;
    this.kmsKeyIds = config.kmsKeyId === undefined ? [] : [config.kmsKeyId, ...(config.olderKmsKeyIds ?? [])];
    this.#config = config;
    this.#client = createClient(config, { silentMs: REQUEST_MS });
    this.#lanes = new Lanes({ most: config.readsAtOnce, turnMs: config.turnMs });
    this.#locks = createLocks(this.#client, config.bucket);
    this.#direct = config.mode === 'envelope' ? directRequests(this.#client, config.bucket) : undefined;
  }

  async head(key: string, versionId?: string): Promise<Stored | undefined> {
    try {
      const answer = await this.#client.send(new HeadObjectCommand(this.#object(key, versionId)));
      const { ObjectLockRetainUntilDate: until, ObjectLockLegalHoldStatus: hold } = answer;
      const lock = { ...(until && { until }), legalHold: hold === 'ON' };
      return { ...stored(answer), ...((until || lock.legalHold) && { lock }) };
    } catch (error) {
      const failure = failureOf(error);
      if (failure.status === 404 || failure.deleteMarker) return undefined;
      throw storeError(
        isUnexplained(failure) ? await this.#reasonOf(error, key, versionId) : error,
        this.bucket,
        key,
      );
    }
  }

  /** An answer to HEAD has no body, so that one to GET has to say what is wrong. */
  async #reasonOf(error: unknown, key: string, versionId: string | undefined): Promise<unknown> {
    try {
      const command = new GetObjectCommand({ ...this.#object(key, versionId), Range: 'bytes=0-0' });
      ((await this.#client.send(command)).Body as Readable).destroy();
      return error;
    } catch (reason) {
      return reason;
    }
  }

  get(key: string, options: GetOptions = {}): Promise<Found> {
    return this.#lanes.read(options.lane ?? 'work', options.signal, () => this.#get(key, options));
  }

  async #get(key: string, options: GetOptions): Promise<Found> {
    const { start, end, ifMatch, signal, lane = 'work' } = options;
    const direct = await this.#direct?.get(key, options);
    if (direct) {
      failOnStall(direct.body, STALL_MS);
      return direct;
    }
    const command = new GetObjectCommand({
      ...this.#object(key, options.versionId),
      ...((start ?? end) !== undefined && { Range: `bytes=${start ?? 0}-${end ?? ''}` }),
      ...(ifMatch !== undefined && { IfMatch: ifMatch }),
    });
    const answer = await this.#mapped(
      this.#reading(lane).send(command, signal ? { abortSignal: signal } : {}),
      key,
      signal,
    );
    const body = answer.Body as Readable;
    failOnStall(body, STALL_MS);
    const total = /\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1];
    const found = stored(answer);
    return { ...found, body, totalBytes: total === undefined ? found.bytes : Number(total) };
  }

  async delete(key: string, versionId?: string): Promise<void> {
    await this.#mapped(this.#client.send(new DeleteObjectCommand(this.#object(key, versionId))), key);
  }

  lockOf(key: string, versionId?: string) {
    return this.#locks.lockOf(key, versionId);
  }

  versioning() {
    return versioningOf(this.#client, this.bucket);
  }

  async keepsVersions(): Promise<boolean> {
    const setting = await this.versioning();
    return 'value' in setting && setting.value === 'enabled';
  }

  list(prefix: string, options?: ListOptions) {
    return listObjects(this.#client, this.bucket, prefix, options);
  }

  unfinishedUploads(prefix: string) {
    return listUploads(this.#client, this.bucket, prefix);
  }

  async abortUpload(key: string, uploadId: string): Promise<void> {
    const input = { Bucket: this.bucket, Key: key, UploadId: uploadId };
    try {
      await this.#client.send(new AbortMultipartUploadCommand(input));
    } catch (error) {
      if (failureOf(error).status !== 404) throw storeError(error, this.bucket, key);
    }
  }

  async beginUpload(key: string): Promise<string> {
    const command = new CreateMultipartUploadCommand({ ...this.#new(true), ...this.#object(key) });
    const { UploadId } = await this.#mapped(this.#client.send(command), key);
    if (UploadId === undefined)
      throw storeError(new Error('S3 began an upload and did not name it'), this.bucket, key);
    return UploadId;
  }

  async sendPart(
    key: string,
    uploadId: string,
    number: number,
    body: Uint8Array,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<StoredPart> {
    const command = new UploadPartCommand({ ...this.#upload(key, uploadId), PartNumber: number, Body: body });
    const answer = await this.#ofUpload(
      this.#client.send(command, signal ? { abortSignal: signal } : {}),
      key,
      signal,
    );
    return { number, etag: answer.ETag ?? '' };
  }

  async copyPart(key: string, uploadId: string, number: number, from: PartSource): Promise<StoredPart> {
    const source = `${this.bucket}/${from.key.split('/').map(encodeURIComponent).join('/')}`;
    const command = new UploadPartCopyCommand({
      ...this.#upload(key, uploadId),
      PartNumber: number,
      CopySource:
        from.versionId === undefined ? source : `${source}?versionId=${encodeURIComponent(from.versionId)}`,
      CopySourceIfMatch: from.etag,
      CopySourceRange: `bytes=${from.start}-${from.end}`,
    });
    try {
      const { CopyPartResult } = await this.#client.send(command);
      return { number, etag: CopyPartResult?.ETag ?? '' };
    } catch (error) {
      const { name } = failureOf(error);
      // A 404 may be the upload's or the source's.
      if (name === 'NoSuchKey' || name === 'NoSuchVersion') throw storeError(error, this.bucket, from.key);
      return this.#ofUpload(Promise.reject(error), key);
    }
  }

  async *parts(key: string, uploadId: string): AsyncIterable<StoredPart & { bytes: number }> {
    let marker: string | undefined;
    do {
      const command = new ListPartsCommand({
        ...this.#upload(key, uploadId),
        ...(marker !== undefined && { PartNumberMarker: marker }),
      });
      const page = await this.#ofUpload(this.#client.send(command), key);
      for (const { PartNumber = 0, ETag = '', Size = 0 } of page.Parts ?? [])
        yield { number: PartNumber, etag: ETag, bytes: Size };
      marker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
  }

  async completeUpload(
    key: string,
    uploadId: string,
    parts: readonly StoredPart[],
    bytes: number,
  ): Promise<Stored> {
    const sorted = [...parts].sort((a, b) => a.number - b.number);
    const Parts = sorted.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }));
    const command = new CompleteMultipartUploadCommand({
      ...this.#upload(key, uploadId),
      MultipartUpload: { Parts },
    });
    const answer = await this.#ofUpload(this.#client.send(command), key);
    return {
      etag: answer.ETag || (await this.#etagOf(key, answer.VersionId, sorted)),
      bytes,
      ...(answer.VersionId !== undefined && { versionId: answer.VersionId }),
      ...(answer.SSEKMSKeyId !== undefined && { kmsKeyId: answer.SSEKMSKeyId }),
    };
  }

  /**
   * Of a completed upload, where the answer names none, as radosgw's: readers pin the object by it. The object exists by
   * now: that its writer may not read it, or that the store is away, is no failure.
   */
  async #etagOf(key: string, versionId: string | undefined, parts: readonly StoredPart[]): Promise<string> {
    try {
      return (await this.head(key, versionId))?.etag ?? '';
    } catch (error) {
      const etag = compositeTag(parts);
      if (etag === undefined) throw error;
      return etag;
    }
  }

  async putBytes(
    key: string,
    bytes: Uint8Array,
    { isRecording = false, signal }: PutOptions = {},
  ): Promise<Stored> {
    const object = this.#new(isRecording);
    const direct = await this.#direct?.put(key, bytes, object, signal);
    if (direct) return direct;
    const command = new PutObjectCommand({ ...object, ...this.#object(key), Body: bytes });
    const answer = await this.#mapped(
      this.#client.send(command, signal ? { abortSignal: signal } : {}),
      key,
      signal,
    );
    return {
      etag: answer.ETag ?? '',
      bytes: bytes.byteLength,
      ...(answer.VersionId !== undefined && { versionId: answer.VersionId }),
      ...(answer.SSEKMSKeyId !== undefined && { kmsKeyId: answer.SSEKMSKeyId }),
    };
  }

  versions(prefix: string) {
    return listVersions(this.#client, this.bucket, prefix);
  }

  presignGet(key: string, versionId: string | undefined, seconds: number): Promise<string> {
    const command = new GetObjectCommand({
      ...this.#object(key, versionId),
      ResponseContentType: AUDIO,
      ResponseCacheControl: 'private, no-store',
    });
    return this.#mapped(getSignedUrl(this.#client, command, { expiresIn: seconds }), key);
  }

  async check(): Promise<void> {
    const probe = { Bucket: this.bucket, Key: CHECK_KEY };
    try {
      // A recording's upload that is begun and abandoned asks for every right of a writer and leaves nothing behind.
      const { UploadId } = await this.#client.send(
        new CreateMultipartUploadCommand({ ...this.#new(true), ...probe }),
      );
      await this.#client.send(new AbortMultipartUploadCommand({ ...probe, UploadId }));
      await this.#client.send(new ListObjectsV2Command({ Bucket: this.bucket, MaxKeys: 1 }));
    } catch (error) {
      throw setUpError(error, this.bucket, this.#config.endpoint);
    }
  }

  close(): void {
    this.#client.destroy();
    for (const reader of this.#readers.values()) reader.destroy();
    this.#direct?.close();
  }

  /** Made at the first read: a Function only writes. */
  #reading(lane: Lane): S3Client {
    const found = this.#readers.get(lane) ?? createClient(this.#config);
    this.#readers.set(lane, found);
    return found;
  }

  #object(key: string, versionId?: string) {
    return { Bucket: this.bucket, Key: key, ...(versionId !== undefined && { VersionId: versionId }) };
  }

  #new(isRecording: boolean): NewObject {
    return newObject(this.#config, isRecording);
  }

  #upload(key: string, uploadId: string) {
    return { Bucket: this.bucket, Key: key, UploadId: uploadId };
  }

  /** A 404 here is the upload's: aborted, or completed by another process. */
  async #ofUpload<T>(answer: Promise<T>, key: string, signal?: AbortSignal): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      const { name, status } = failureOf(error);
      // radosgw gives a lost upload the name of a lost object.
      if (name === 'NoSuchUpload' || (status === 404 && name !== 'NoSuchBucket')) {
        throw new CustodyError('upload_gone', `the upload of ${key} is no more`, { cause: error });
      }
      throw storeError(error, this.bucket, key);
    }
  }

  async #mapped<T>(answer: Promise<T>, key?: string, signal?: AbortSignal): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw storeError(error, this.bucket, key);
    }
  }
}
