import { readText } from './body.ts';
import { S3Error } from './errors.ts';
import { answer, type S3Request, storageClassOf } from './request.ts';
import { document, type Element, elements } from './xml.ts';

export async function headBucket(request: S3Request): Promise<void> {
  answer(request, 200, '', { 'x-amz-bucket-region': 'us-east-1' });
}

export async function getLocation(request: S3Request): Promise<void> {
  answer(request, 200, document('LocationConstraint', []));
}

export async function getVersioning(request: S3Request): Promise<void> {
  answer(request, 200, document('VersioningConfiguration', [['Status', request.bucket.versioning]]));
}

export async function putVersioning(request: S3Request): Promise<void> {
  const status = elements(await readText(request.incoming), 'Status')[0];
  if (status !== 'Enabled' && status !== 'Suspended')
    throw new S3Error(400, 'MalformedXML', 'The XML you provided was not well-formed or names no Status');
  if (request.bucket.locks && status === 'Suspended')
    throw new S3Error(
      409,
      'InvalidBucketState',
      'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.',
    );
  request.bucket.versioning = status;
  answer(request, 200);
}

export async function listObjects(request: S3Request): Promise<void> {
  const { bucket, query } = request;
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const token = query.get('continuation-token');
  const after =
    token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString('utf8');
  const limit = Math.min(1000, Number(query.get('max-keys') ?? 1000) || 0);
  const encoded = query.get('encoding-type') === 'url';
  const shown = (key: string) => (encoded ? encodeURIComponent(key).replaceAll('%2F', '/') : key);

  const rows: Element[] = [];
  const prefixes = new Set<string>();
  let last = '';
  let truncated = false;
  for (const version of bucket.current(prefix)) {
    const cut = delimiter === '' ? -1 : version.key.indexOf(delimiter, prefix.length);
    const group = cut < 0 ? undefined : version.key.slice(0, cut + delimiter.length);
    const place = group ?? version.key;
    if (place <= after || (group !== undefined && prefixes.has(group))) continue;
    if (rows.length + prefixes.size >= limit) {
      truncated = limit > 0;
      break;
    }
    last = place;
    if (group !== undefined) prefixes.add(group);
    else
      rows.push([
        'Contents',
        [
          ['Key', shown(version.key)],
          ['LastModified', new Date(version.lastModified).toISOString()],
          ['ETag', version.etag],
          ['Size', version.bytes],
          ['StorageClass', storageClassOf(version.headers)],
        ],
      ]);
  }
  const body = document('ListBucketResult', [
    ['Name', bucket.name],
    ['Prefix', shown(prefix)],
    ['Delimiter', delimiter === '' ? undefined : shown(delimiter)],
    ['KeyCount', rows.length + prefixes.size],
    ['MaxKeys', limit],
    ['EncodingType', encoded ? 'url' : undefined],
    ['IsTruncated', truncated],
    ['ContinuationToken', token ?? undefined],
    ['NextContinuationToken', truncated ? Buffer.from(last, 'utf8').toString('base64url') : undefined],
    ...rows,
    ...[...prefixes].map((one): Element => ['CommonPrefixes', [['Prefix', shown(one)]]]),
  ]);
  answer(request, 200, body);
}

export async function listVersions(request: S3Request): Promise<void> {
  const { bucket, query } = request;
  const prefix = query.get('prefix') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('version-id-marker') ?? '';
  const limit = Math.min(1000, Number(query.get('max-keys') ?? 1000) || 0);
  const encoded = query.get('encoding-type') === 'url';
  const shown = (key: string) => (encoded ? encodeURIComponent(key).replaceAll('%2F', '/') : key);

  const all = bucket.all(prefix);
  const marked = all.findIndex(({ key, versionId }) => key === keyMarker && versionId === idMarker);
  // Behind the marked version; without one, or where it was deleted meanwhile, behind the marked key.
  const rest =
    marked < 0 ? all.filter(({ key }) => keyMarker === '' || key > keyMarker) : all.slice(marked + 1);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const truncated = rest.length > page.length;
  const newest = new Map([...all].reverse().map((version) => [version.key, version]));
  const rows = page.map((version): Element => {
    const facts: Element[] = [
      ['Key', shown(version.key)],
      ['VersionId', version.versionId],
      ['IsLatest', newest.get(version.key) === version],
      ['LastModified', new Date(version.lastModified).toISOString()],
    ];
    if (version.deleteMarker) return ['DeleteMarker', facts];
    return [
      'Version',
      [
        ...facts,
        ['ETag', version.etag],
        ['Size', version.bytes],
        ['StorageClass', storageClassOf(version.headers)],
      ],
    ];
  });
  const body = document('ListVersionsResult', [
    ['Name', bucket.name],
    ['Prefix', shown(prefix)],
    ['KeyMarker', shown(keyMarker)],
    ['VersionIdMarker', idMarker],
    ['NextKeyMarker', truncated ? shown(last?.key ?? '') : undefined],
    ['NextVersionIdMarker', truncated ? last?.versionId : undefined],
    ['MaxKeys', limit],
    ['EncodingType', encoded ? 'url' : undefined],
    ['IsTruncated', truncated],
    ...rows,
  ]);
  answer(request, 200, body);
}
