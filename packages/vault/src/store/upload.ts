import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  type CompleteMultipartUploadCommandOutput,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  type PutObjectCommandInput,
  type S3Client,
  type UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { storeError } from './errors.ts';
import type { PutOptions, Stored } from './types.ts';

const SWEEPS = 3;

export interface UploadOptions extends PutOptions {
  partBytes: number;
  partsAtOnce: number;
}

/**
 * Stores one stream by lib-storage: what fits into a part as one object, more as a multipart upload. It is given a
 * client of its own kind, because left alone it goes on sending the other parts of an upload that has failed, does not
 * stop them when told to abort, and forgets what lands after its own clean-up.
 */
export async function uploadStream(
  client: S3Client,
  params: Omit<PutObjectCommandInput, 'Body'> & { Bucket: string; Key: string },
  body: Readable,
  options: UploadOptions,
): Promise<Stored> {
  const attempt = new Attempt(client, options.onProgress);
  const { signal } = options;
  // A stream may fail before anybody reads it, and parts already on their way are then for nothing.
  body.on('error', () => attempt.stop());
  const onAbort = () => {
    attempt.stop();
    body.destroy(asError(signal?.reason));
  };
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const upload = new Upload({
      client: attempt.client(),
      params: { ...params, Body: body },
      partSize: options.partBytes,
      queueSize: options.partsAtOnce,
    });
    const result: CompleteMultipartUploadCommandOutput = await upload.done();
    return {
      etag: result.ETag ?? '',
      ...(result.VersionId !== undefined && { versionId: result.VersionId }),
      ...(result.SSEKMSKeyId !== undefined && { kmsKeyId: result.SSEKMSKeyId }),
      bytes: attempt.sent,
    };
  } catch (error) {
    attempt.stop();
    const broken = body.errored;
    body.destroy();
    await attempt.sweep(params.Bucket, params.Key);
    if (signal?.aborted) throw asError(signal.reason);
    if (attempt.failure === undefined && broken) throw broken;
    throw storeError(attempt.failure ?? error, params.Bucket, params.Key);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

class Attempt {
  sent = 0;
  failure: unknown;
  readonly #client: S3Client;
  readonly #onProgress: ((bytes: number) => void) | undefined;
  readonly #stopped = new AbortController();
  #uploadId: string | undefined;

  constructor(client: S3Client, onProgress: ((bytes: number) => void) | undefined) {
    this.#client = client;
    this.#onProgress = onProgress;
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** lib-storage uses nothing of a client but these two. */
  client(): S3Client {
    const send = (command: { input: { Body?: unknown } }) => this.#send(command);
    return { config: this.#client.config, send } as unknown as S3Client;
  }

  async #send(command: { input: { Body?: unknown } }): Promise<unknown> {
    // Beginning and abandoning an upload are always seen through: without the answer nobody could remove its parts.
    const unstoppable =
      command instanceof CreateMultipartUploadCommand || command instanceof AbortMultipartUploadCommand;
    try {
      const answer = await this.#client.send(
        command as UploadPartCommand,
        unstoppable ? {} : { abortSignal: this.#stopped.signal },
      );
      if (command instanceof CreateMultipartUploadCommand) {
        this.#uploadId = (answer as { UploadId?: string }).UploadId;
      }
      if (command.input.Body instanceof Uint8Array) {
        this.sent += command.input.Body.byteLength;
        this.#onProgress?.(this.sent);
      }
      return answer;
    } catch (error) {
      // The first is the reason: the others fail because they are stopped.
      if (!this.#stopped.signal.aborted) this.failure = error;
      this.stop();
      throw error;
    }
  }

  /** Removes what an upload left, also what arrived while it was being removed; the janitor has the rest. */
  async sweep(bucket: string, key: string): Promise<void> {
    if (this.#uploadId === undefined) return;
    const upload = { Bucket: bucket, Key: key, UploadId: this.#uploadId };
    try {
      for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
        await this.#client.send(new ListPartsCommand(upload));
        await this.#client.send(new AbortMultipartUploadCommand(upload));
      }
    } catch {
      // NoSuchUpload: gone, as it should be. Anything else is no news to whoever waits for the reason of the failure.
    }
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
