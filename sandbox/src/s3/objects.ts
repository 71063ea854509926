import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { disturb } from '../faults.ts';
import { readBody } from './body.ts';
import { preconditionFailed, S3Error } from './errors.ts';
import { find } from './find.ts';
import { lockHeaders, lockOfNew, refuseLocked } from './locks.ts';
import { answer, encryptionHeaders, keptHeaders, type S3Request } from './request.ts';
import type { Version } from './storage.ts';

/** Receives a body onto the disk; on any failure nothing of it stays. */
export async function receive<T>(
  request: S3Request,
  keep: (incoming: { file: string; bytes: number; md5: Buffer; crc32: string | undefined }) => Promise<T>,
): Promise<T> {
  const file = request.bucket.temporary();
  try {
    const { stages, meter, check } = readBody(request.incoming, request.payload);
    await pipeline([...stages, createWriteStream(file)]);
    return await keep({ file, bytes: meter.bytes, ...check() });
  } finally {
    await rm(file, { force: true });
  }
}

const versionHeader = (request: S3Request, version: Version): Record<string, string> =>
  request.bucket.versioning === undefined ? {} : { 'x-amz-version-id': version.versionId };

export async function putObject(request: S3Request): Promise<void> {
  const { bucket, key, incoming } = request;
  if (incoming.headers['x-amz-copy-source'] !== undefined)
    throw new S3Error(501, 'NotImplemented', 'CopyObject is not implemented by this endpoint');
  const lock = lockOfNew(request, incoming.headers);
  await receive(request, async ({ file, bytes, md5, crc32 }) => {
    if (incoming.headers['if-none-match'] === '*' && bucket.exists(key)) throw preconditionFailed();
    const etag = `"${md5.toString('hex')}"`;
    const version = await bucket.put({ key, etag, headers: keptHeaders(incoming), lock }, [{ file, bytes }]);
    answer(request, 200, '', {
      etag,
      ...versionHeader(request, version),
      ...encryptionHeaders(version.headers),
      ...(crc32 === undefined ? {} : { 'x-amz-checksum-crc32': crc32 }),
    });
  });
}

export async function getObject(request: S3Request): Promise<void> {
  const { bucket, incoming, response } = request;
  const version = find(request);
  const headers = headersOf(request, version);
  const ifMatch = incoming.headers['if-match'];
  if (ifMatch !== undefined && !matches(ifMatch, version.etag)) throw preconditionFailed();
  const ifNoneMatch = incoming.headers['if-none-match'];
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, version.etag)) {
    answer(request, 304, '', { etag: version.etag });
    return;
  }
  const range = rangeOf(incoming.headers.range, version.bytes);
  const [start, end] = range ?? [0, version.bytes - 1];
  const length = end - start + 1;
  response.writeHead(range ? 206 : 200, {
    ...headers,
    ...(request.fault?.kind === 'short' ? {} : { 'content-length': length }),
    ...(range ? { 'content-range': `bytes ${start}-${end}/${version.bytes}` } : {}),
  });
  if (incoming.method === 'HEAD' || length === 0) {
    response.end();
    return;
  }
  const body = bucket.read(version, start, end);
  const { fault } = request;
  // A reader that disconnects also ends the reading of the file; that is no error here.
  const sent = fault
    ? pipeline(
        body,
        disturb(fault, length, () => incoming.socket.destroy()),
        response,
      )
    : pipeline(body, response);
  await sent.catch(() => response.destroy());
}

/** What a GET's query may set of its answer. */
const overridable = ['content-type', 'content-disposition', 'cache-control', 'content-language', 'expires'];

function headersOf(request: S3Request, version: Version): Record<string, string> {
  const overrides = overridable.flatMap((name) => {
    const value = request.query.get(`response-${name}`);
    return value === null ? [] : [[name, value]];
  });
  return {
    'content-type': 'binary/octet-stream',
    ...version.headers,
    ...Object.fromEntries(overrides),
    'accept-ranges': 'bytes',
    etag: version.etag,
    'last-modified': new Date(version.lastModified).toUTCString(),
    ...versionHeader(request, version),
    ...lockHeaders(request, version),
  };
}

const bare = (tag: string) => tag.trim().replace(/^W\//, '').replaceAll('"', '');
const matches = (list: string, etag: string) =>
  list.trim() === '*' || list.split(',').some((one) => bare(one) === bare(etag));

/** One range; S3 ignores what it cannot read and several ranges at once, and answers the whole object. */
function rangeOf(header: string | undefined, total: number): [number, number] | undefined {
  const parts = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!parts || (parts[1] === '' && parts[2] === '')) return undefined;
  const unsatisfiable = () => new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable');
  if (parts[1] === '') {
    const suffix = Number(parts[2]);
    if (suffix === 0 || total === 0) throw unsatisfiable();
    return [Math.max(0, total - suffix), total - 1];
  }
  const start = Number(parts[1]);
  const end = parts[2] === '' ? total - 1 : Number(parts[2]);
  if (parts[2] !== '' && end < start) return undefined;
  if (start >= total) throw unsatisfiable();
  return [start, Math.min(end, total - 1)];
}

/** Without a version: a delete marker where versions are kept. With one: deleted for good. */
export async function deleteObject(request: S3Request): Promise<void> {
  const { bucket, key, query } = request;
  const versionId = query.get('versionId');
  if (versionId !== null) {
    refuseLocked(request, bucket.version(key, versionId));
    const removed = await bucket.remove(key, versionId);
    answer(request, 204, '', {
      'x-amz-version-id': versionId,
      ...(removed?.deleteMarker ? { 'x-amz-delete-marker': 'true' } : {}),
    });
  } else if (bucket.versioning === undefined) {
    await bucket.remove(key, 'null');
    answer(request, 204);
  } else {
    const marker = await bucket.put({ key, etag: '""', headers: {}, deleteMarker: true }, []);
    answer(request, 204, '', { 'x-amz-version-id': marker.versionId, 'x-amz-delete-marker': 'true' });
  }
}
