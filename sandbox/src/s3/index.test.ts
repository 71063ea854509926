import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetBucketAclCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  type S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { createFaults } from '../faults.ts';
import { failureFault, settingFailures } from './failures.ts';
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

describe('what it does not do is an honest 501, and leaves everything as it was', () => {
  const Key = 'asked';
  const sse = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: randomBytes(32).toString('base64') };
  const of = { Bucket, Key };
  test.each<[string, () => Promise<unknown>]>([
    ['tags', () => s3.send(new GetObjectTaggingCommand(of))],
    ['tags to be deleted', () => s3.send(new DeleteObjectTaggingCommand(of))],
    ['tags with an object', () => s3.send(new PutObjectCommand({ ...of, Body: 'y', Tagging: 'a=b' }))],
    ['an ACL', () => s3.send(new GetObjectAclCommand(of))],
    ['an ACL of the bucket', () => s3.send(new GetBucketAclCommand({ Bucket }))],
    ['a public object', () => s3.send(new PutObjectCommand({ ...of, Body: 'y', ACL: 'public-read' }))],
    ['an archive', () => s3.send(new PutObjectCommand({ ...of, Body: 'y', StorageClass: 'GLACIER' }))],
    ["a customer's own key on a put", () => s3.send(new PutObjectCommand({ ...of, Body: 'y', ...sse }))],
    ["a customer's own key on a get", () => s3.send(new GetObjectCommand({ ...of, ...sse }))],
    ["a customer's own key on a HEAD", () => s3.send(new HeadObjectCommand({ ...of, ...sse }))],
    ['a checksum of a HEAD', () => s3.send(new HeadObjectCommand({ ...of, ChecksumMode: 'ENABLED' }))],
    [
      'a checksum of another kind',
      () => s3.send(new PutObjectCommand({ ...of, Body: 'y', ChecksumAlgorithm: 'SHA256' })),
    ],
    ['one part of a HEAD', () => s3.send(new HeadObjectCommand({ ...of, PartNumber: 1 }))],
    ['a copy', () => s3.send(new CopyObjectCommand({ ...of, CopySource: `${Bucket}/${Key}` }))],
    ['an append', () => s3.send(new PutObjectCommand({ ...of, Body: 'y', WriteOffsetBytes: 1 }))],
    ['many deletions', () => s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }] } }))],
    ['versions by folder', () => s3.send(new ListObjectVersionsCommand({ Bucket, Delimiter: '/' }))],
    ['a deletion under a condition', () => s3.send(new DeleteObjectCommand({ ...of, IfMatchSize: 7 }))],
    ['a policy', () => s3.send(new GetBucketPolicyCommand({ Bucket }))],
  ])('%s', async (_what, ask) => {
    await put(Key, 'x');
    await expect(ask()).rejects.toMatchObject({ $metadata: { httpStatusCode: 501 } });
    expect((await get(Key)).toString()).toBe('x');
  });
});

test('of a version that is the marker of a deletion it says so', async () => {
  await put('marked', 'x');
  const { VersionId } = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'marked' }));
  await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'marked', VersionId }))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 405 },
    $response: { headers: { 'x-amz-delete-marker': 'true' } },
  });
});

test('one without versions gives no ids, knows no question about them, and deletes for good', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'unversioned-'));
  const other = await startS3({
    directory: folder,
    region: 'us-east-1',
    buckets: [Bucket],
    faults: createFaults(),
    unversioned: true,
  });
  const client = new S3Client({
    endpoint: other.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: other,
  });
  const of = { Bucket, Key: 'k' };
  const stored = await client.send(new PutObjectCommand({ ...of, Body: 'x' }));
  expect([stored.VersionId, (await client.send(new HeadObjectCommand(of))).VersionId]).toEqual([
    undefined,
    undefined,
  ]);
  for (const ask of [
    () => client.send(new ListObjectVersionsCommand({ Bucket })),
    () => client.send(new GetBucketVersioningCommand({ Bucket })),
    () => client.send(new GetObjectLockConfigurationCommand({ Bucket })),
    () => client.send(new GetObjectRetentionCommand(of)),
    () => client.send(new GetObjectLegalHoldCommand(of)),
  ])
    await expect(ask()).rejects.toMatchObject({
      name: 'NotImplemented',
      $metadata: { httpStatusCode: 501 },
    });
  const gone = await client.send(new DeleteObjectCommand(of));
  expect([gone.DeleteMarker, gone.VersionId]).toEqual([undefined, undefined]);
  expect(await failure(client.send(new HeadObjectCommand(of)))).toBe('NotFound');
  client.destroy();
  await other.close();
  await rm(folder, { recursive: true, force: true });
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

  test('any refusal of S3, in its own words', async () => {
    for (const one of settingFailures) {
      faults.add(failureFault(one));
      await expect(get('faulty')).rejects.toMatchObject({
        name: one.code,
        $metadata: { httpStatusCode: one.status },
        ...(one.region !== undefined && { Region: one.region }),
        ...(one.endpoint !== undefined && { Endpoint: one.endpoint }),
      });
      faults.clear();
    }
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
