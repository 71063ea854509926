import { createHash } from 'node:crypto';
import type { Stored, StoredPart, StoredVersion } from './types.ts';

/** One row of a list of versions; none where S3 names no key. */
export function versionOf(found: {
  Key?: string | undefined;
  VersionId?: string | undefined;
  Size?: number | undefined;
  ETag?: string | undefined;
  LastModified?: Date | undefined;
  IsLatest?: boolean | undefined;
  deleteMarker: boolean;
}): StoredVersion[] {
  const { Key, VersionId, Size = 0, ETag = '', LastModified = new Date(0), IsLatest, deleteMarker } = found;
  if (Key === undefined) return [];
  return [
    {
      key: Key,
      // S3 calls the only version of an object from before versioning was on, or without it, "null".
      ...(VersionId !== undefined && { versionId: VersionId }),
      bytes: Size,
      etag: ETag,
      lastModified: LastModified,
      latest: IsLatest === true,
      deleteMarker,
    },
  ];
}

/** What a HEAD or GET says of an object. */
export function stored(answer: {
  ETag?: string | undefined;
  VersionId?: string | undefined;
  ContentLength?: number | undefined;
  LastModified?: Date | undefined;
  ServerSideEncryption?: string | undefined;
  SSEKMSKeyId?: string | undefined;
}): Stored {
  return {
    etag: answer.ETag ?? '',
    bytes: answer.ContentLength ?? 0,
    ...(answer.LastModified && { lastModified: answer.LastModified }),
    ...(answer.VersionId !== undefined && { versionId: answer.VersionId }),
    ...(answer.ServerSideEncryption !== undefined && { encryption: answer.ServerSideEncryption }),
    ...(answer.SSEKMSKeyId !== undefined && { kmsKeyId: answer.SSEKMSKeyId }),
  };
}

/**
 * The ETag that stores give an object of parts: MD5 over the parts' MD5s, and their number.
 * @param parts in order
 * @returns undefined where an ETag of them is no MD5
 */
export function compositeTag(parts: readonly StoredPart[]): string | undefined {
  const sums = parts.map(({ etag }) => /^"?([0-9a-f]{32})"?$/.exec(etag)?.[1]);
  if (sums.includes(undefined)) return undefined;
  const whole = createHash('md5')
    .update(Buffer.from(sums.join(''), 'hex'))
    .digest('hex');
  return `"${whole}-${parts.length}"`;
}
