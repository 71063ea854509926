import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { errorCode } from '@flex-custody/core';
import { createStore, type Store, type StoreConfig, type Stored, type StoredPart } from '@flex-custody/vault';
import type { Engine } from '../s3/subject.ts';

export const mebibyte = 1024 * 1024;
/** The smallest that S3 takes. */
export const partBytes = 5 * mebibyte;

/** Our own store on a bucket of its own at an engine, with or without versions; the bucket goes when it ends. */
export class StoreSubject {
  readonly #bucket = `store-${randomUUID()}`;
  #engine: Engine | undefined;
  #store: Store | undefined;
  #s3: S3Client | undefined;

  constructor(
    private readonly begun: () => Promise<Engine>,
    readonly versioned: boolean,
  ) {}

  get store(): Store {
    return this.#store!;
  }

  get access(): Pick<Engine, 'endpoint' | 'accessKeyId' | 'secretAccessKey'> {
    const { endpoint, accessKeyId, secretAccessKey } = this.#engine!;
    return { endpoint, accessKeyId, secretAccessKey };
  }

  /** The sandbox's own engine, not radosgw. */
  get isOwn(): boolean {
    return this.#engine?.shared !== true;
  }

  get s3(): S3Client {
    return this.#s3!;
  }

  get bucket() {
    return { Bucket: this.#bucket };
  }

  async start(): Promise<void> {
    this.#engine = await this.begun();
    const { endpoint, accessKeyId, secretAccessKey } = this.#engine;
    this.#s3 = new S3Client({
      endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
    await this.s3.send(new CreateBucketCommand(this.bucket));
    if (this.versioned) {
      const VersioningConfiguration = { Status: 'Enabled' } as const;
      await this.s3.send(new PutBucketVersioningCommand({ ...this.bucket, VersioningConfiguration }));
    }
    this.#store = this.open();
  }

  /** Another store on the same bucket, for its caller to close. */
  open(config: Partial<StoreConfig> = {}): Store {
    const of = { bucket: this.#bucket, region: 'us-east-1', pathStyle: true, mode: 'envelope' } as const;
    return createStore({ ...this.access, ...of, ...config });
  }

  async stop(): Promise<void> {
    if (this.#engine?.shared) await this.#remove();
    this.store.close();
    this.s3.destroy();
    await this.#engine?.close();
  }

  async #remove(): Promise<void> {
    for (const { key, versionId } of await all(this.store.versions(''))) {
      const VersionId = versionId;
      await this.s3.send(new DeleteObjectCommand({ ...this.bucket, Key: key, VersionId }));
    }
    await this.s3.send(new DeleteBucketCommand(this.bucket));
  }
}

/** An object of one request, or of parts where it is longer than one. */
export async function stored(store: Store, key: string, bytes: Buffer): Promise<Stored> {
  if (bytes.length <= partBytes) return store.putBytes(key, bytes);
  const id = await store.beginUpload(key);
  const parts: StoredPart[] = [];
  for (let at = 0; at < bytes.length; at += partBytes)
    parts.push(await store.sendPart(key, id, parts.length + 1, bytes.subarray(at, at + partBytes)));
  return store.completeUpload(key, id, parts, bytes.length);
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

export async function bytesOf(body: Readable): Promise<Buffer> {
  return Buffer.concat(await all(body as AsyncIterable<Buffer>));
}

/** The code that a call is refused with; `accepted` where it is not. */
export const codeOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'accepted', errorCode);
