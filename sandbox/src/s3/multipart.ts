import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { readBody, readText } from './body.ts';
import { preconditionFailed, S3Error } from './errors.ts';
import { lockOfNew } from './locks.ts';
import { receive } from './objects.ts';
import { answer, encryptionHeaders, keptHeaders, type S3Request, storageClassOf } from './request.ts';
import type { Upload } from './storage.ts';
import { document, type Element, elements, unescapeText } from './xml.ts';

const iso = (ms: number) => new Date(ms).toISOString();

export async function createUpload(request: S3Request): Promise<void> {
  const upload = await request.bucket.begin(
    request.key,
    keptHeaders(request.incoming),
    lockOfNew(request, request.incoming.headers),
  );
  request.incoming.resume();
  const body = document('InitiateMultipartUploadResult', [
    ['Bucket', request.bucket.name],
    ['Key', request.key],
    ['UploadId', upload.uploadId],
  ]);
  answer(request, 200, body, encryptionHeaders(upload.headers));
}

export async function uploadPart(request: S3Request): Promise<void> {
  const { bucket, key, query, incoming } = request;
  const number = Number(query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > 10_000)
    throw new S3Error(
      400,
      'InvalidArgument',
      'Part number must be an integer between 1 and 10000, inclusive',
    );
  const upload = bucket.upload(key, query.get('uploadId') ?? '');
  if (incoming.headers['x-amz-copy-source'] !== undefined) return copyPart(request, upload, number);
  await receive(request, async ({ file, bytes, md5, crc32 }) => {
    const etag = `"${md5.toString('hex')}"`;
    await bucket.addPart(upload, number, { file, bytes }, etag);
    answer(request, 200, '', {
      etag,
      ...encryptionHeaders(upload.headers),
      ...(crc32 === undefined ? {} : { 'x-amz-checksum-crc32': crc32 }),
    });
  });
}

/** UploadPartCopy, out of the same bucket. */
async function copyPart(request: S3Request, upload: Upload, number: number): Promise<void> {
  const { bucket, incoming } = request;
  incoming.resume();
  const header = (name: string) => String(incoming.headers[name] ?? '');
  const from = new URL(header('x-amz-copy-source').replace(/^\//, ''), 'http://host/');
  const [, name = '', ...rest] = from.pathname.split('/').map(decodeURIComponent);
  if (name !== bucket.name)
    throw new S3Error(
      501,
      'NotImplemented',
      'UploadPartCopy out of another bucket is not implemented by this endpoint',
    );
  const source = rest.join('/');
  const versionId = from.searchParams.get('versionId');
  request.rights.require(versionId === null ? 's3:GetObject' : 's3:GetObjectVersion', source);
  const version = versionId === null ? bucket.newest(source) : bucket.version(source, versionId);
  if (!version || version.deleteMarker)
    throw versionId === null
      ? new S3Error(404, 'NoSuchKey', 'The specified key does not exist.')
      : new S3Error(404, 'NoSuchVersion', 'The specified version does not exist.');
  const ifMatch = header('x-amz-copy-source-if-match');
  if (ifMatch !== '' && ifMatch.replaceAll('"', '') !== version.etag.replaceAll('"', ''))
    throw preconditionFailed();
  const [start, end] = copyRange(header('x-amz-copy-source-range'), version.bytes);
  const file = bucket.temporary();
  const md5 = createHash('md5');
  const hashed = async function* (body: AsyncIterable<Buffer>) {
    for await (const chunk of body) {
      md5.update(chunk);
      yield chunk;
    }
  };
  try {
    await pipeline(bucket.read(version, start, end), hashed, createWriteStream(file));
    const etag = `"${md5.digest('hex')}"`;
    await bucket.addPart(upload, number, { file, bytes: end - start + 1 }, etag);
    const body = document('CopyPartResult', [
      ['ETag', etag],
      ['LastModified', iso(Date.now())],
    ]);
    answer(request, 200, body, {
      ...(bucket.versioning === undefined ? {} : { 'x-amz-copy-source-version-id': version.versionId }),
      ...encryptionHeaders(upload.headers),
    });
  } finally {
    await rm(file, { force: true });
  }
}

function copyRange(text: string, bytes: number): [number, number] {
  if (text === '') return [0, bytes - 1];
  const [, first = '', last = ''] = /^bytes=(\d+)-(\d+)$/.exec(text) ?? [];
  const [start, end] = [Number(first), Number(last)];
  if (first === '' || start > end || end >= bytes)
    throw new S3Error(
      400,
      'InvalidArgument',
      `Range specified is not valid for source object of size: ${bytes}`,
    );
  return [start, end];
}

export async function completeUpload(request: S3Request): Promise<void> {
  const { bucket, key, query, incoming } = request;
  const upload = bucket.upload(key, query.get('uploadId') ?? '');
  const { stages, check } = readBody(incoming, request.payload);
  const [first, ...rest] = stages;
  const xml = await readText(
    rest.reduce<NodeJS.ReadableStream>((from, to) => from.pipe(to), first) as typeof first,
  );
  check();
  const asked = elements(xml, 'Part').map((part) => ({
    number: Number(elements(part, 'PartNumber')[0]),
    etag: unescapeText(elements(part, 'ETag')[0] ?? ''),
  }));
  if (asked.length === 0)
    throw new S3Error(400, 'MalformedXML', 'The XML you provided was not well-formed or names no part');
  if (incoming.headers['if-none-match'] === '*' && bucket.exists(key)) throw preconditionFailed();
  const version = await bucket.complete(upload, asked);
  const body = document('CompleteMultipartUploadResult', [
    ['Location', `http://${incoming.headers.host}/${bucket.name}/${key}`],
    ['Bucket', bucket.name],
    ['Key', key],
    ['ETag', version.etag],
  ]);
  const versioned = bucket.versioning === undefined ? {} : { 'x-amz-version-id': version.versionId };
  answer(request, 200, body, { ...versioned, ...encryptionHeaders(version.headers) });
}

export async function abortUpload(request: S3Request): Promise<void> {
  await request.bucket.abort(request.bucket.upload(request.key, request.query.get('uploadId') ?? ''));
  answer(request, 204);
}

const most = (query: URLSearchParams, name: string) => Math.min(1000, Number(query.get(name) ?? 1000) || 0);

export async function listParts(request: S3Request): Promise<void> {
  const { bucket, key, query } = request;
  const upload = bucket.upload(key, query.get('uploadId') ?? '');
  const after = Number(query.get('part-number-marker') ?? 0);
  const limit = most(query, 'max-parts');
  const all = [...upload.parts.values()]
    .filter((part) => part.number > after)
    .sort((a, b) => a.number - b.number);
  const page = all.slice(0, limit);
  const body = document('ListPartsResult', [
    ['Bucket', bucket.name],
    ['Key', key],
    ['UploadId', upload.uploadId],
    ['PartNumberMarker', after],
    ['NextPartNumberMarker', page.at(-1)?.number ?? 0],
    ['MaxParts', limit],
    ['IsTruncated', all.length > page.length],
    ...page.map(
      (part): Element => [
        'Part',
        [
          ['PartNumber', part.number],
          ['LastModified', iso(part.lastModified)],
          ['ETag', part.etag],
          ['Size', part.bytes],
        ],
      ],
    ),
  ]);
  answer(request, 200, body);
}

export async function listUploads(request: S3Request): Promise<void> {
  const { bucket, query } = request;
  const prefix = query.get('prefix') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const limit = most(query, 'max-uploads');
  const all = [...bucket.uploads.values()]
    .filter(({ key }) => key.startsWith(prefix))
    .sort((a, b) => (a.key === b.key ? (a.uploadId < b.uploadId ? -1 : 1) : a.key < b.key ? -1 : 1))
    .filter(({ key, uploadId }) =>
      keyMarker === ''
        ? true
        : key > keyMarker || (key === keyMarker && idMarker !== '' && uploadId > idMarker),
    );
  const page = all.slice(0, limit);
  const truncated = all.length > page.length;
  const last = page.at(-1);
  const body = document('ListMultipartUploadsResult', [
    ['Bucket', bucket.name],
    ['KeyMarker', keyMarker],
    ['UploadIdMarker', idMarker],
    ['NextKeyMarker', truncated ? last?.key : undefined],
    ['NextUploadIdMarker', truncated ? last?.uploadId : undefined],
    ['Prefix', prefix],
    ['MaxUploads', limit],
    ['IsTruncated', truncated],
    ...page.map(
      (upload): Element => [
        'Upload',
        [
          ['Key', upload.key],
          ['UploadId', upload.uploadId],
          ['StorageClass', storageClassOf(upload.headers)],
          ['Initiated', iso(upload.startedAt)],
        ],
      ],
    ),
  ]);
  answer(request, 200, body);
}
