import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, Faults } from '../faults.ts';
import {
  getLocation,
  getVersioning,
  headBucket,
  listObjects,
  listVersions,
  putVersioning,
} from './buckets.ts';
import { notImplemented, S3Error } from './errors.ts';
import {
  getLegalHold,
  getLockConfiguration,
  getRetention,
  putLegalHold,
  putLockConfiguration,
  putRetention,
} from './locks.ts';
import {
  abortUpload,
  completeUpload,
  createUpload,
  listParts,
  listUploads,
  uploadPart,
} from './multipart.ts';
import { deleteObject, getObject, putObject } from './objects.ts';
import { answer, type S3Request } from './request.ts';
import { actionOf, type Identity, newIdentity, rightsOf } from './rights.ts';
import { accessKeyOf, verifySignature } from './sigv4.ts';
import { Bucket } from './storage.ts';
import { requireSupported, requireUnversioned } from './supported.ts';
import { document } from './xml.ts';

export interface OwnS3 {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  close(): Promise<void>;
}

/**
 * S3 in a directory, on loopback: the calls that this project makes, checked as strictly as S3 checks them, and an
 * honest 501 for every other. Path-style addresses; versioning is on. test/contract/s3-conformance.test.ts holds it
 * and radosgw to the same suite.
 */
export async function startS3(options: {
  directory: string;
  region: string;
  buckets: readonly string[];
  faults: Faults;
  /** Who may ask beside the account's own identity, which is returned and may do everything. */
  identities?: readonly Identity[];
  /** Keeps no versions, gives no version ids and knows no question about them or about locks. */
  unversioned?: boolean;
  /** Epoch ms; this machine's clock where absent. */
  now?: () => number;
}): Promise<OwnS3> {
  const now = options.now ?? Date.now;
  const own = newIdentity('account');
  const identities = [own, ...(options.identities ?? [])];
  const buckets = new Map<string, Bucket>();
  const open = async (name: string): Promise<Bucket> => {
    const bucket = await Bucket.open(name, join(options.directory, name), now);
    if (options.unversioned) bucket.versioning = undefined;
    return bucket;
  };
  for (const name of options.buckets) buckets.set(name, await open(name));
  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const found = options.faults.take('s3', `${incoming.method} ${incoming.url}`);
    if (found && (await failsWhole(found, incoming, response))) return;
    const signed = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers };
    const accessKeyId = accessKeyOf(signed);
    const identity = identities.find((one) => one.accessKeyId === accessKeyId) ?? own;
    const payload = verifySignature(signed, { ...identity, region: options.region }, now());
    const url = new URL(incoming.url ?? '', 'http://host');
    const [, name = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
    const rights = rightsOf(identity, name);
    const key = rest.join('/');
    const action = actionOf(signed.method, key, url.searchParams);
    const creates = incoming.method === 'PUT' && key === '' && url.search.replace('?', '') === '';
    // Every client learns that a bucket does not exist.
    if (!creates && !buckets.has(name)) throw noSuchBucket();
    rights.require(action, key === '' ? undefined : key);
    requireSupported(signed.method, key, url.searchParams, incoming.headers);
    if (options.unversioned) requireUnversioned(url.searchParams, incoming.headers);
    if (creates) {
      incoming.resume();
      if (buckets.has(name))
        throw new S3Error(409, 'BucketAlreadyOwnedByYou', 'You have created this bucket before.');
      const made = await open(name);
      made.locks = incoming.headers['x-amz-bucket-object-lock-enabled'] === 'true';
      // Locks are on versions: such a bucket keeps them from the beginning.
      made.versioning = made.locks ? 'Enabled' : undefined;
      buckets.set(name, made);
      answer({ response }, 200, '', { location: `/${name}` });
      return;
    }
    const bucket = buckets.get(name);
    if (!bucket) throw noSuchBucket();
    const fault = found && bodyKinds.has(found.kind) ? found : undefined;
    const query = url.searchParams;
    try {
      await route({ bucket, key, query, rights, incoming, response, payload, fault });
    } catch (error) {
      // Who may not list learns nothing of what is not there.
      if (error instanceof S3Error && error.status === 404 && key !== '') rights.require('s3:ListBucket');
      throw error;
    }
  };
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 30_000 }, (incoming, response) => {
    response.setHeader('date', new Date(now()).toUTCString());
    response.setHeader('x-amz-request-id', randomBytes(8).toString('hex').toUpperCase());
    handle(incoming, response).catch((error: unknown) => refuse(error, incoming, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accessKeyId: own.accessKeyId,
    secretAccessKey: own.secretAccessKey,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function route(request: S3Request): Promise<void> {
  const { key, query, incoming } = request;
  const has = (name: string) => query.has(name);
  const ask = `${incoming.method} ${key === '' ? 'bucket' : 'object'}`;
  switch (ask) {
    case 'HEAD bucket':
      return headBucket(request);
    case 'GET bucket':
      if (has('location')) return getLocation(request);
      if (has('versioning')) return getVersioning(request);
      if (has('object-lock')) return getLockConfiguration(request);
      if (has('versions')) return listVersions(request);
      if (has('uploads')) return listUploads(request);
      if (query.get('list-type') === '2') return listObjects(request);
      break;
    case 'PUT bucket':
      if (has('versioning')) return putVersioning(request);
      if (has('object-lock')) return putLockConfiguration(request);
      break;
    case 'HEAD object':
      return getObject(request);
    case 'GET object':
      if (has('uploadId')) return listParts(request);
      if (has('retention')) return getRetention(request);
      if (has('legal-hold')) return getLegalHold(request);
      return getObject(request);
    case 'PUT object':
      if (has('uploadId')) return uploadPart(request);
      if (has('retention')) return putRetention(request);
      if (has('legal-hold')) return putLegalHold(request);
      return putObject(request);
    case 'POST object':
      if (has('uploads')) return createUpload(request);
      if (has('uploadId')) return completeUpload(request);
      break;
    case 'DELETE object':
      return has('uploadId') ? abortUpload(request) : deleteObject(request);
  }
  throw notImplemented(`${ask} ?${[...query.keys()].join('&')}`);
}

const noSuchBucket = () => new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');

function refuse(error: unknown, incoming: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const known =
    error instanceof S3Error
      ? error
      : new S3Error(500, 'InternalError', `We encountered an internal error: ${error}`);
  // What is left of an unwanted body is not read to its end: the connection closes behind the answer.
  if (!incoming.complete) response.setHeader('connection', 'close');
  incoming.resume();
  const body = document('Error', [
    ['Code', known.code],
    ['Message', known.message],
    ['Resource', (incoming.url ?? '').split('?')[0]],
    ...(known.more.elements ?? []),
  ]);
  answer({ response }, known.status, incoming.method === 'HEAD' ? '' : body, { ...known.more.headers });
}

/** What S3 calls a bare status. */
const namesOf: Readonly<Record<number, string>> = {
  401: 'AccessDenied',
  403: 'AccessDenied',
  404: 'NoSuchKey',
  501: 'NotImplemented',
  503: 'SlowDown',
};

function failed(status: number, { code, region, endpoint }: NonNullable<Fault['failure']>): S3Error {
  return new S3Error(status, code, 'Refused by a fault of the sandbox.', {
    elements: [
      ['Region', region],
      ['Endpoint', endpoint],
    ],
    headers: {
      ...(region !== undefined && { 'x-amz-bucket-region': region }),
      ...(endpoint !== undefined && { location: `http://${endpoint}/` }),
    },
  });
}

const bodyKinds = new Set(['cut', 'stall', 'slow', 'short']);

/** Faults that hit the request as a whole. @returns true when nothing more is to be done */
async function failsWhole(
  fault: Fault,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const reads = incoming.method === 'GET';
  switch (fault.kind) {
    case 'status': {
      const status = fault.value ?? 503;
      if (fault.failure) throw failed(status, fault.failure);
      throw new S3Error(status, namesOf[status] ?? 'InternalError', 'Please reduce your request rate.');
    }
    case 'html':
    case 'empty':
      incoming.resume();
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(fault.kind === 'html' ? '<html><body>Bad gateway</body></html>' : '');
      return true;
    case 'cut':
    case 'short':
      if (reads) return false;
      incoming.socket.destroy();
      return true;
    case 'stall':
      return !reads;
    case 'slow':
      if (!reads) await sleep(fault.value ?? 1000);
      return false;
  }
}
