import {
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { CustodyError } from '@flex-custody/core';
import { versionOf } from './answers.ts';
import { isUnsupported, storeError } from './errors.ts';
import { versioningOf } from './locks.ts';
import type { ListOptions, StoredVersion } from './types.ts';

/**
 * Objects below a prefix by their keys, page by page: each page is asked for when the one before has been read.
 * @throws CustodyError store_*
 */
export async function* listObjects(
  client: S3Client,
  bucket: string,
  prefix: string,
  { after }: ListOptions = {},
): AsyncIterable<{ key: string; bytes: number; etag: string; lastModified: Date }> {
  let from: { ContinuationToken: string } | { StartAfter: string } | undefined =
    after === undefined ? undefined : { StartAfter: after };
  // A store that ignores StartAfter lists its first key first.
  let isBehind = after === undefined;
  do {
    const input: ListObjectsV2CommandInput = { Bucket: bucket, Prefix: prefix, ...from };
    const page = await listOf(bucket, client.send(new ListObjectsV2Command(input)));
    for (const { Key, Size = 0, ETag = '', LastModified = new Date(0) } of page.Contents ?? []) {
      if (Key === undefined) continue;
      isBehind ||= isLater(Key, after ?? '');
      if (isBehind) yield { key: Key, bytes: Size, etag: ETag, lastModified: LastModified };
    }
    from = page.NextContinuationToken ? { ContinuationToken: page.NextContinuationToken } : undefined;
  } while (from);
}

/** By their UTF-8 bytes, as S3 orders keys. */
const isLater = (key: string, other: string): boolean =>
  Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0;

/** Uploads that were begun and not ended, likewise. */
export async function* listUploads(
  client: S3Client,
  bucket: string,
  prefix: string,
): AsyncIterable<{ key: string; uploadId: string; startedAt: Date }> {
  let after: { KeyMarker: string; UploadIdMarker?: string } | undefined;
  do {
    const input: ListMultipartUploadsCommandInput = { Bucket: bucket, Prefix: prefix, ...after };
    const page = await listOf(bucket, client.send(new ListMultipartUploadsCommand(input)));
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

/**
 * Versions and delete markers by key, the newest first, likewise. A store that keeps none, and does not know the question,
 * lists its objects: each is all that there is of it, and has no version id.
 */
export async function* listVersions(
  client: S3Client,
  bucket: string,
  prefix: string,
): AsyncIterable<StoredVersion> {
  try {
    yield* versionsListed(client, bucket, prefix);
  } catch (error) {
    if (!isUnsupported(error)) throw error;
    await refuseHiddenVersions(client, bucket, error);
    for await (const one of listObjects(client, bucket, prefix))
      yield { ...one, latest: true, deleteMarker: false };
  }
}

/** What was deleted without its version would be there still. */
async function refuseHiddenVersions(client: S3Client, bucket: string, cause: unknown): Promise<void> {
  const setting = await versioningOf(client, bucket);
  if ('value' in setting ? setting.value === 'never' : setting.unavailable === 'unsupported') return;
  const why =
    'value' in setting
      ? 'keeps versions'
      : 'may keep versions, which these credentials may not ask (s3:GetBucketVersioning)';
  throw new CustodyError(
    'store_unsupported',
    `the bucket ${bucket} ${why}, and its store does not list them: use an S3 that does (docs/deploy.md)`,
    { cause },
  );
}

async function* versionsListed(
  client: S3Client,
  bucket: string,
  prefix: string,
): AsyncIterable<StoredVersion> {
  let after: { KeyMarker: string; VersionIdMarker?: string } | undefined;
  do {
    const input: ListObjectVersionsCommandInput = { Bucket: bucket, Prefix: prefix, ...after };
    const page = await listOf(bucket, client.send(new ListObjectVersionsCommand(input)));
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

/** A page that another server sent with 200, such as a proxy's, reads like an empty list: it is an error. */
async function listOf<T extends object>(bucket: string, answer: Promise<T>): Promise<T> {
  try {
    const page = await answer;
    const isList = Object.entries(page).some(([name, value]) => name !== '$metadata' && value !== undefined);
    if (!isList) throw new Error('no list was answered');
    return page;
  } catch (error) {
    throw storeError(error, bucket);
  }
}
