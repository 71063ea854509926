import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { createFaults } from '../faults.ts';
import { type OwnS3, startS3 } from './index.ts';
import { functionsPolicy, hostPolicy } from './policies.ts';
import { type Identity, newIdentity } from './rights.ts';

const Bucket = 'locked';
const sealed = 'recordings/AC1/RE1';
const sidecar = `${sealed}.json`;
const certificate = 'certificates/AC1/1.jws';
const functions = newIdentity('functions', functionsPolicy);
const host = newIdentity('host', hostPolicy);
const withoutLocks = newIdentity('host-of-before', {
  ...hostPolicy,
  Statement: hostPolicy.Statement.map((one) => ({
    ...one,
    Action: [one.Action].flat().filter((action) => !/GetObject(Retention|LegalHold)/.test(action)),
  })),
});
let directory: string;
let own: OwnS3;
const clients: S3Client[] = [];

const as = ({ accessKeyId, secretAccessKey }: Pick<Identity, 'accessKeyId' | 'secretAccessKey'>) => {
  const client = new S3Client({
    endpoint: own.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    maxAttempts: 1,
  });
  clients.push(client);
  return client;
};
const outcome = (sent: Promise<unknown>): Promise<string> =>
  sent.then(
    () => 'done',
    (error: { name: string; $metadata: { httpStatusCode: number } }) =>
      error.name === 'Unknown' || error.name === '403' ? `${error.$metadata.httpStatusCode}` : error.name,
  );

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 's3-rights-'));
  const identities = [functions, host, withoutLocks];
  own = await startS3({ directory, region: 'us-east-1', buckets: [], faults: createFaults(), identities });
  await as(own).send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await own.close();
  await rm(directory, { recursive: true });
});

const put = (who: Identity, Key: string) =>
  outcome(as(who).send(new PutObjectCommand({ Bucket, Key, Body: 'x' })));
const get = (who: Identity, Key: string) => outcome(as(who).send(new GetObjectCommand({ Bucket, Key })));

test('Functions write recordings, and neither read anything nor write beside them', async () => {
  expect(await put(functions, sealed)).toBe('done');
  for (const key of [sidecar, certificate, 'elsewhere', 'recordings'])
    expect([key, await put(functions, key)]).toEqual([key, 'AccessDenied']);
  const begin = new CreateMultipartUploadCommand({ Bucket, Key: sidecar });
  expect(await outcome(as(functions).send(begin))).toBe('AccessDenied');
  expect(await get(functions, sealed)).toBe('AccessDenied');
  expect(await outcome(as(functions).send(new ListObjectsV2Command({ Bucket })))).toBe('AccessDenied');
  const away = new DeleteObjectCommand({ Bucket, Key: sealed });
  expect(await outcome(as(functions).send(away))).toBe('AccessDenied');
  expect(await outcome(as(functions).send(new GetBucketVersioningCommand({ Bucket })))).toBe('AccessDenied');
});

test('a refusal says who may not do what, as S3 words it', async () => {
  const message = (key: string) =>
    as(functions)
      .send(new PutObjectCommand({ Bucket, Key: key, Body: 'x' }))
      .catch((error: Error) => error.message);
  expect(await message(sidecar)).toBe(
    `User: arn:aws:iam::123456789012:user/functions is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::${Bucket}/${sidecar}" with an explicit deny in an identity-based policy`,
  );
  expect(await message(certificate)).toMatch(
    /because no identity-based policy allows the s3:PutObject action$/,
  );
});

test('the host writes all three, reads and deletes recordings, and no certificate', async () => {
  for (const key of [sealed, sidecar, certificate]) expect(await put(host, key)).toBe('done');
  expect([await get(host, sealed), await get(host, sidecar)]).toEqual(['done', 'done']);
  expect(await get(host, certificate)).toBe('AccessDenied');
  const away = new DeleteObjectCommand({ Bucket, Key: certificate });
  expect(await outcome(as(host).send(away))).toBe('AccessDenied');
  expect(await outcome(as(host).send(new GetBucketVersioningCommand({ Bucket })))).toBe('done');
});

test('what is not there is denied to who may not list, and missing to who may', async () => {
  expect(await get(host, 'recordings/AC1/REno')).toBe('NoSuchKey');
  const reader = newIdentity('reader', {
    Version: '2012-10-17',
    Statement: [{ Sid: 'R', Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }],
  });
  const other = await startS3({
    directory: join(directory, 'other'),
    region: 'us-east-1',
    buckets: [Bucket],
    faults: createFaults(),
    identities: [reader],
  });
  const before = own;
  own = other;
  expect(await get(reader, 'recordings/AC1/REno')).toBe('AccessDenied');
  own = before;
  await other.close();
});

test('a lock shows on HEAD to who may know of it, and to nobody else', async () => {
  const { VersionId } = await as(own).send(new PutObjectCommand({ Bucket, Key: sealed, Body: 'kept' }));
  const of = { Bucket, Key: sealed, VersionId };
  await as(own).send(new PutObjectLegalHoldCommand({ ...of, LegalHold: { Status: 'ON' } }));
  const until = new Date(Date.now() + 60_000);
  await as(own).send(
    new PutObjectRetentionCommand({ ...of, Retention: { Mode: 'GOVERNANCE', RetainUntilDate: until } }),
  );
  const lock = async (who: Identity) => {
    const seen = await as(who).send(new HeadObjectCommand(of));
    return [seen.ObjectLockLegalHoldStatus, seen.ObjectLockMode, seen.ObjectLockRetainUntilDate];
  };
  expect(await lock(host)).toEqual(['ON', 'GOVERNANCE', until]);
  expect(await lock(withoutLocks)).toEqual([undefined, undefined, undefined]);
});

test('keys that nobody has are unknown, and a signature by another secret does not match', async () => {
  expect(await put({ ...host, accessKeyId: 'AKIAUNKNOWN' }, sealed)).toBe('InvalidAccessKeyId');
  const mixed = { ...functions, secretAccessKey: host.secretAccessKey };
  expect(await put(mixed, sealed)).toBe('SignatureDoesNotMatch');
});
