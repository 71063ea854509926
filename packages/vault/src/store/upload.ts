import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { asError } from '../as-error.ts';
import { storeError } from './errors.ts';
import { PartBuffers } from './part-buffers.ts';
import type { PutOptions, Stored } from './types.ts';

const SWEEPS = 3;

export interface UploadOptions extends PutOptions {
  partBytes: number;
  partsAtOnce: number;
}

type Target = Omit<PutObjectCommandInput, 'Body'> & { Bucket: string; Key: string };

/**
 * Stores one stream: what fits into a part as one object, more as a multipart upload. The parts are our own affair, not
 * lib-storage's: it copies every part together anew and so needs half as much memory again, goes on
 * sending the other parts of an upload that has failed, and forgets what lands after its own clean-up.
 */
export async function uploadStream(
  client: S3Client,
  target: Target,
  body: Readable,
  options: UploadOptions,
): Promise<Stored> {
  const upload = new StreamUpload(client, target, options);
  const { signal } = options;
  const stop = () => upload.stop();
  const onAbort = () => {
    // The body may have been read to its end, and then its destruction is no news to anybody.
    stop();
    body.destroy(asError(signal?.reason));
  };
  // A stream may fail before anybody reads it, and parts already on their way are then for nothing.
  body.on('error', stop);
  upload.onFailure = () => body.destroy();
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await upload.send(body);
  } catch (error) {
    body.destroy();
    await upload.takeBack();
    if (signal?.aborted) throw asError(signal.reason);
    if (upload.failure === undefined && body.errored) throw body.errored;
    throw storeError(upload.failure ?? error, target.Bucket, target.Key);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

class StreamUpload {
  /** The first is the reason: the others fail because they are stopped. */
  failure: unknown;
  onFailure: () => void = () => undefined;
  readonly #client: S3Client;
  readonly #target: Target;
  readonly #options: UploadOptions;
  readonly #stopped = new AbortController();
  readonly #buffers: PartBuffers;
  readonly #onTheWire = new Set<Promise<void>>();
  readonly #parts: CompletedPart[] = [];
  #uploadId: Promise<string> | undefined;
  #sent = 0;

  constructor(client: S3Client, target: Target, options: UploadOptions) {
    this.#client = client;
    this.#target = target;
    this.#options = options;
    // One fills while the others are on the wire.
    this.#buffers = new PartBuffers(options.partBytes, options.partsAtOnce + 1);
  }

  stop(): void {
    this.#stopped.abort();
  }

  async send(body: Readable): Promise<Stored> {
    let buffer = await this.#buffers.take();
    let filled = 0;
    let number = 0;
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      for (let at = 0; at < chunk.byteLength; ) {
        // Only when there is more: the last part may be a full one.
        if (filled === buffer.byteLength) {
          number += 1;
          this.#dispatch(number, buffer, filled);
          buffer = await this.#buffers.take();
          this.#stopped.signal.throwIfAborted();
          filled = 0;
        }
        const part = chunk.subarray(at, at + buffer.byteLength - filled);
        buffer.set(part, filled);
        filled += part.byteLength;
        at += part.byteLength;
      }
    }
    this.#stopped.signal.throwIfAborted();
    if (number === 0) return this.#putWhole(buffer.subarray(0, filled));
    this.#dispatch(number + 1, buffer, filled);
    await Promise.all(this.#onTheWire);
    this.#stopped.signal.throwIfAborted();
    return this.#complete();
  }

  #dispatch(number: number, buffer: Buffer, filled: number): void {
    const sending = this.#sendPart(number, buffer.subarray(0, filled))
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#onTheWire.delete(sending);
        this.#buffers.give(buffer);
      });
    this.#onTheWire.add(sending);
  }

  async #sendPart(number: number, part: Buffer): Promise<void> {
    this.#uploadId ??= this.#begin();
    const UploadId = await this.#uploadId;
    const { Bucket, Key } = this.#target;
    const { ETag } = await this.#client.send(
      new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: number, Body: part }),
      { abortSignal: this.#stopped.signal },
    );
    this.#parts.push({ PartNumber: number, ETag });
    this.#progress(part.byteLength);
  }

  /** Seen through whatever happens: without the answer nobody could remove the parts. */
  async #begin(): Promise<string> {
    const { UploadId } = await this.#client.send(new CreateMultipartUploadCommand(this.#target));
    if (UploadId === undefined) throw new Error('S3 began an upload and did not name it');
    return UploadId;
  }

  async #putWhole(body: Buffer): Promise<Stored> {
    const answer = await this.#client
      .send(new PutObjectCommand({ ...this.#target, Body: body }), { abortSignal: this.#stopped.signal })
      .catch((error: unknown) => {
        this.#fail(error);
        throw error;
      });
    this.#progress(body.byteLength);
    return this.#stored(answer);
  }

  async #complete(): Promise<Stored> {
    const { Bucket, Key } = this.#target;
    const Parts = this.#parts.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    const UploadId = await this.#uploadId;
    // Seen through: broken off, nobody could tell whether the object stands.
    const answer = await this.#client.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
    );
    // radosgw completes without a word about the ETag; whoever reads later pins the object by it.
    return this.#stored(
      answer.ETag ? answer : { ...answer, ETag: await this.#etag(Parts, answer.VersionId) },
    );
  }

  /** The object stands by now: that its writer may not look at it, or that the store is away, is no failure. */
  async #etag(parts: readonly CompletedPart[], VersionId: string | undefined): Promise<string | undefined> {
    const { Bucket, Key } = this.#target;
    try {
      return (await this.#client.send(new HeadObjectCommand({ Bucket, Key, VersionId }))).ETag;
    } catch (error) {
      const tag = compositeTag(parts);
      if (tag === undefined) throw error;
      return tag;
    }
  }

  #stored(answer: {
    ETag?: string | undefined;
    VersionId?: string | undefined;
    SSEKMSKeyId?: string | undefined;
  }): Stored {
    return {
      etag: answer.ETag ?? '',
      ...(answer.VersionId !== undefined && { versionId: answer.VersionId }),
      ...(answer.SSEKMSKeyId !== undefined && { kmsKeyId: answer.SSEKMSKeyId }),
      bytes: this.#sent,
    };
  }

  #progress(bytes: number): void {
    this.#sent += bytes;
    this.#options.onProgress?.(this.#sent);
  }

  #fail(error: unknown): void {
    if (!this.#stopped.signal.aborted) this.failure = error;
    this.stop();
    this.onFailure();
  }

  /** Removes what an upload left, also what arrived while it was being removed; the janitor has the rest. */
  async takeBack(): Promise<void> {
    this.stop();
    await Promise.allSettled(this.#onTheWire);
    const UploadId = await this.#uploadId?.catch(() => undefined);
    if (UploadId === undefined) return;
    const { Bucket, Key } = this.#target;
    try {
      for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
        await this.#client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
        await this.#client.send(new ListPartsCommand({ Bucket, Key, UploadId }));
      }
    } catch {
      // NoSuchUpload: gone, as it should be. Anything else is no news to whoever waits for the reason of the failure.
    }
  }
}

/** The tag that stores give an object of parts: MD5 over the parts' MD5s, and their number. */
function compositeTag(parts: readonly CompletedPart[]): string | undefined {
  const sums = parts.map(({ ETag }) => /^"?([0-9a-f]{32})"?$/.exec(ETag ?? '')?.[1]);
  if (sums.includes(undefined)) return undefined;
  const whole = createHash('md5')
    .update(Buffer.from(sums.join(''), 'hex'))
    .digest('hex');
  return `"${whole}-${parts.length}"`;
}
