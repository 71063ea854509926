import { noSuchKey, S3Error } from './errors.ts';
import type { S3Request } from './request.ts';
import type { Version } from './storage.ts';

/** The version that a request is about: the one it names, else the newest. */
export function find({ bucket, key, query }: S3Request): Version {
  const versionId = query.get('versionId');
  if (versionId !== null) {
    const version = bucket.version(key, versionId);
    if (!version) throw new S3Error(404, 'NoSuchVersion', 'The specified version does not exist.');
    if (version.deleteMarker)
      throw new S3Error(
        405,
        'MethodNotAllowed',
        'The specified method is not allowed against this resource.',
        { headers: { 'x-amz-delete-marker': 'true' } },
      );
    return version;
  }
  const version = bucket.newest(key);
  if (!version || version.deleteMarker) throw noSuchKey();
  return version;
}
