import {
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { versionOf } from './answers.ts';
import { storeError } from './errors.ts';
import type { StoredVersion } from './types.ts';

/** Objects below a prefix, page by page: each page is asked for when the one before has been read. Errors: store_*. */
export async function* listObjects(
  client: S3Client,
  bucket: string,
  prefix: string,
): AsyncIterable<{ key: string; bytes: number; etag: string; lastModified: Date }> {
  let after: { ContinuationToken: string } | undefined;
  do {
    const input: ListObjectsV2CommandInput = { Bucket: bucket, Prefix: prefix, ...after };
    const page = await answerOf(bucket, client.send(new ListObjectsV2Command(input)));
    for (const { Key, Size = 0, ETag = '', LastModified = new Date(0) } of page.Contents ?? []) {
      if (Key !== undefined) yield { key: Key, bytes: Size, etag: ETag, lastModified: LastModified };
    }
    after = page.NextContinuationToken ? { ContinuationToken: page.NextContinuationToken } : undefined;
  } while (after);
}

/** Uploads that were begun and not ended, likewise. */
export async function* listUploads(
  client: S3Client,
  bucket: string,
  prefix: string,
): AsyncIterable<{ key: string; uploadId: string; startedAt: Date }> {
  let after: { KeyMarker: string; UploadIdMarker?: string } | undefined;
  do {
    const input: ListMultipartUploadsCommandInput = { Bucket: bucket, Prefix: prefix, ...after };
    const page = await answerOf(bucket, client.send(new ListMultipartUploadsCommand(input)));
    for (const { Key, UploadId, Initiated = new Date(0) } of page.Uploads ?? []) {
      if (Key !== undefined && UploadId !== undefined) {
        yield { key: Key, uploadId: UploadId, startedAt: Initiated };
      }
    }
    after =
      page.IsTruncated && page.NextKeyMarker
        ? {
            KeyMarker: page.NextKeyMarker,
            ...(page.NextUploadIdMarker !== undefined && { UploadIdMarker: page.NextUploadIdMarker }),
          }
        : undefined;
  } while (after);
}

/** Versions and delete markers by key, the newest first, likewise. */
export async function* listVersions(
  client: S3Client,
  bucket: string,
  prefix: string,
): AsyncIterable<StoredVersion> {
  let after: { KeyMarker: string; VersionIdMarker?: string } | undefined;
  do {
    const input: ListObjectVersionsCommandInput = { Bucket: bucket, Prefix: prefix, ...after };
    const page = await answerOf(bucket, client.send(new ListObjectVersionsCommand(input)));
    const found = [
      ...(page.Versions ?? []).map((one) => ({ ...one, deleteMarker: false })),
      ...(page.DeleteMarkers ?? []).map((one) => ({ ...one, deleteMarker: true })),
    ].flatMap(versionOf);
    yield* found.sort(
      (a, b) =>
        (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) || b.lastModified.getTime() - a.lastModified.getTime(),
    );
    after =
      page.IsTruncated && page.NextKeyMarker
        ? {
            KeyMarker: page.NextKeyMarker,
            ...(page.NextVersionIdMarker !== undefined && { VersionIdMarker: page.NextVersionIdMarker }),
          }
        : undefined;
  } while (after);
}

async function answerOf<T>(bucket: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw storeError(error, bucket);
  }
}
