/** What engines answer differently. A status, or the name of the error (`accepted` where there is none). */
export interface Ways {
  wrongCrc32: string;
  checksumTrailer: number;
  ifNoneMatchOnPut: string;
  ifNoneMatchAtCompletion: string;
  completionGivesETag: boolean;
  partsOutOfOrder: number;
  oddRanges: Record<string, [number, string]>;
}

/**
 * Where radosgw 16.2 does otherwise than S3. Facts of that engine, which production code has to live with: it reads
 * Range itself before it asks, sends no checksum trailers, leans on no If-None-Match, and takes an object's ETag from a
 * HEAD where the completion gives none.
 */
export const radosgw: Ways = {
  wrongCrc32: 'accepted',
  checksumTrailer: 411,
  /** On a bucket with versions; without versions a put is refused as S3 does. */
  ifNoneMatchOnPut: 'accepted',
  ifNoneMatchAtCompletion: 'accepted',
  completionGivesETag: false,
  partsOutOfOrder: 200,
  oddRanges: {
    'foo=1-2': [200, '0123456789'],
    'bytes=3-1': [416, ''],
    'bytes=0-1,4-5': [206, '01'],
    'bytes=-0': [206, '0123456789'],
  },
};

export const amazon: Ways = {
  wrongCrc32: 'BadDigest',
  checksumTrailer: 200,
  ifNoneMatchOnPut: 'PreconditionFailed',
  ifNoneMatchAtCompletion: 'PreconditionFailed',
  completionGivesETag: true,
  partsOutOfOrder: 400,
  oddRanges: {
    'foo=1-2': [200, '0123456789'],
    'bytes=3-1': [200, '0123456789'],
    'bytes=0-1,4-5': [200, '0123456789'],
    'bytes=-0': [416, ''],
  },
};
