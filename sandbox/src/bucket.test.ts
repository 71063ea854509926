import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateMultipartUploadCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { lookInto, type S3Access } from './bucket.ts';
import { createFaults } from './faults.ts';
import { startS3 } from './s3/index.ts';

const faults = createFaults();
let directory: string;
let access: Omit<S3Access, 'identities'>;
let s3: S3Client;
let close: () => Promise<void>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sandbox-bucket-'));
  const own = await startS3({ directory, region: 'us-east-1', buckets: ['custody'], faults });
  access = { ...own, region: 'us-east-1', bucket: 'custody' };
  close = own.close;
  s3 = new S3Client({
    endpoint: own.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: own.accessKeyId, secretAccessKey: own.secretAccessKey },
  });
});
afterAll(async () => {
  s3.destroy();
  await close();
  await rm(directory, { recursive: true });
});

test('shows what lies there: sizes, versions, first bytes, and what is unfinished', async () => {
  const Bucket = 'custody';
  const put = (Key: string, Body: Buffer) => s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  const { VersionId } = await put('recordings/a', Buffer.alloc(1000, 0xab));
  await put('recordings/empty', Buffer.alloc(0));
  await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'recordings/b' }));
  const bucket = lookInto(access);
  const view = await bucket.show();
  expect(view.objects).toEqual([
    {
      key: 'recordings/a',
      bytes: 1000,
      head: 'ab'.repeat(256),
      versionId: VersionId,
      lastModified: expect.stringMatching(/^20.*Z$/),
    },
    { key: 'recordings/empty', bytes: 0, lastModified: expect.any(String) },
  ]);
  expect(view.uploads).toMatchObject([{ key: 'recordings/b', uploadId: expect.any(String) }]);

  faults.add({ target: 's3', kind: 'status', value: 500, times: 0, match: 'GET /custody/recordings' });
  await put('recordings/c', Buffer.from('new'));
  const later = await bucket.show();
  expect(later.objects.map((one) => [one.key, one.head?.length])).toEqual([
    ['recordings/a', 512],
    ['recordings/c', undefined],
    ['recordings/empty', undefined],
  ]);
  bucket.close();
});
