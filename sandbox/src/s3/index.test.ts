import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  type S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { createFaults } from '../faults.ts';
import { type OwnS3, startS3 } from './index.ts';

/** What the conformance suite (test/contract) does not see: the disk, restarts, and faults. */
const faults = createFaults();
const Bucket = 'custody';
let directory: string;
let own: OwnS3;
let s3: S3Client;

const start = async () => {
  own = await startS3({ directory, region: 'us-east-1', buckets: [Bucket], faults });
  const { accessKeyId, secretAccessKey, endpoint } = own;
  s3 = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 1,
  });
};
const stop = async () => {
  s3.destroy();
  await own.close();
};
const get = async (Key: string, VersionId?: string) => {
  const answer = await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }));
  return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
};
const put = (Key: string, Body: string | Buffer) => s3.send(new PutObjectCommand({ Bucket, Key, Body }));
const failure = async (sent: Promise<unknown>) =>
  sent.then(
    () => 'accepted',
    (error: S3ServiceException) => error.name,
  );

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sandbox-s3-'));
  await start();
});
afterAll(async () => {
  await stop();
  await rm(directory, { recursive: true });
});
beforeEach(() => faults.clear());

test('objects and their versions are there again after a restart; unfinished uploads are not', async () => {
  const first = await put('kept/ä', 'first');
  await new Promise((resolve) => setTimeout(resolve, 5));
  await put('kept/ä', 'second');
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'never' }));
  await s3.send(
    new UploadPartCommand({ Bucket, Key: 'never', UploadId, PartNumber: 1, Body: Buffer.alloc(10) }),
  );
  await stop();
  await start();
  expect((await get('kept/ä')).toString()).toBe('second');
  expect((await get('kept/ä', first.VersionId)).toString()).toBe('first');
  expect(await readdir(join(directory, Bucket, 'uploads'))).toEqual([]);
});

test('a body that breaks off leaves no object and no file', async () => {
  const before = await readdir(join(directory, Bucket, 'objects'));
  const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'broken' }));
  const sent = request(url, { method: 'PUT', headers: { 'content-length': 100_000 } });
  const closed = new Promise((resolve) => sent.once('close', resolve));
  sent.on('error', () => undefined);
  sent.write(randomBytes(50_000), () => sent.destroy());
  await closed;
  expect(await failure(get('broken'))).toBe('NoSuchKey');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await readdir(join(directory, Bucket, 'uploads'))).toEqual([]);
  expect(await readdir(join(directory, Bucket, 'objects'))).toEqual(before);
});

test('server-side encryption is told back as it was asked for', async () => {
  const asked = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'arn:aws:kms:us-east-1:1:key/k' } as const;
  const stored = await s3.send(new PutObjectCommand({ Bucket, Key: 'sse', Body: 'x', ...asked }));
  expect(stored).toMatchObject(asked);
  expect(await s3.send(new GetObjectCommand({ Bucket, Key: 'sse' }))).toMatchObject(asked);
});

test('a call that it does not know is a 501, never another call by mistake', async () => {
  await put('tagged', 'x');
  const tagging = s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'tagged' }));
  expect(await failure(tagging)).toBe('NotImplemented');
});

test('with versioning suspended an object is overwritten in place', async () => {
  const versioning = (Status: 'Enabled' | 'Suspended') =>
    s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
  await versioning('Suspended');
  expect((await put('plain', 'first')).VersionId).toBe('null');
  await put('plain', 'second');
  expect((await get('plain', 'null')).toString()).toBe('second');
  await versioning('Enabled');
});

describe('faults', () => {
  const body = randomBytes(100_000);
  beforeAll(() => put('faulty', body));

  test('a status, once', async () => {
    faults.add({ target: 's3', kind: 'status', value: 503, times: 1 });
    expect(await failure(put('x', 'x'))).toBe('SlowDown');
    expect(await failure(put('x', 'x'))).toBe('accepted');
  });

  test('only where it matches', async () => {
    faults.add({ target: 's3', kind: 'status', value: 500, times: 1, match: 'GET /custody/faulty' });
    expect(await failure(put('x', 'x'))).toBe('accepted');
    expect(await failure(get('faulty'))).toBe('InternalError');
  });

  test('a read that is cut, a write that is cut', async () => {
    faults.add({ target: 's3', kind: 'cut', value: 5000, times: 1, match: 'GET' });
    expect(await failure(get('faulty'))).toMatch(/Error/);
    faults.add({ target: 's3', kind: 'cut', times: 1, match: 'PUT' });
    expect(await failure(put('cut', 'x'))).toMatch(/Error/);
    expect(await failure(get('cut'))).toBe('NoSuchKey');
  });

  test('a read that is slow but right', async () => {
    faults.add({ target: 's3', kind: 'slow', value: 500_000, times: 1 });
    const begun = Date.now();
    expect((await get('faulty')).equals(body)).toBe(true);
    expect(Date.now() - begun).toBeGreaterThan(150);
  });
});
