import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { createFaults } from '../faults.ts';
import { type OwnS3, startS3 } from './index.ts';
import { functionsPolicy, hostPolicy } from './policies.ts';
import { policyOf, without } from './policy.ts';
import { type Identity, newIdentity } from './rights.ts';

const Bucket = 'locked';
const sealed = 'recordings/AC1/RE1';
const sidecar = `${sealed}.json`;
const certificate = 'certificates/AC1/1.jws';
const statement = 'statements/AC1/2026-11-28.json';
const functions = newIdentity('functions', policyOf(functionsPolicy, Bucket));
const host = newIdentity('host', policyOf(hostPolicy, Bucket));
const withoutLocks = newIdentity(
  'host-of-before',
  without(policyOf(hostPolicy, Bucket), /GetObject(Retention|LegalHold)/),
);
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
  for (const key of [sidecar, certificate, statement, 'elsewhere', 'recordings'])
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

test('the host writes all four, reads and deletes recordings, and no certificate', async () => {
  for (const key of [sealed, sidecar, certificate, statement]) expect(await put(host, key)).toBe('done');
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

describe('locks', () => {
  const locking = (VersionId: string | undefined) => ({ Bucket, Key: sealed, VersionId });
  const stored = async (more: Partial<PutObjectCommandInput> = {}) =>
    (await as(own).send(new PutObjectCommand({ Bucket, Key: sealed, Body: 'kept', ...more }))).VersionId;
  const retain = (who: Pick<Identity, 'accessKeyId' | 'secretAccessKey'>, VersionId: string | undefined) => ({
    set: (Mode: 'GOVERNANCE' | 'COMPLIANCE', ms: number, BypassGovernanceRetention = false) =>
      outcome(
        as(who).send(
          new PutObjectRetentionCommand({
            ...locking(VersionId),
            Retention: { Mode, RetainUntilDate: new Date(Date.now() + ms) },
            BypassGovernanceRetention,
          }),
        ),
      ),
    remove: (BypassGovernanceRetention = false) =>
      outcome(as(who).send(new DeleteObjectCommand({ ...locking(VersionId), BypassGovernanceRetention }))),
  });

  test('the questions for them are judged by the policies', async () => {
    const version = await stored();
    const asked = async (who: Identity) => [
      await outcome(as(who).send(new GetObjectRetentionCommand(locking(version)))),
      await outcome(as(who).send(new GetObjectLegalHoldCommand(locking(version)))),
      await outcome(as(who).send(new GetObjectLockConfigurationCommand({ Bucket }))),
      await outcome(as(who).send(new GetBucketVersioningCommand({ Bucket }))),
    ];
    const none = 'NoSuchObjectLockConfiguration';
    expect(await asked(host)).toEqual([none, none, 'done', 'done']);
    expect(await asked(withoutLocks)).toEqual(['AccessDenied', 'AccessDenied', 'done', 'done']);
    expect(await asked(functions)).toEqual(Array(4).fill('AccessDenied'));
    expect(await retain(host, version).set('GOVERNANCE', 60_000)).toBe('AccessDenied');
    // Of an object that is not there rights are judged first.
    const missing = new GetObjectRetentionCommand({ Bucket, Key: 'recordings/.check' });
    expect(await outcome(as(host).send(missing))).toBe('NoSuchKey');
    expect(await outcome(as(withoutLocks).send(missing))).toBe('AccessDenied');
  });

  test('governance yields to who may bypass it and says so; compliance to nobody', async () => {
    const governed = retain(own, await stored());
    expect(await governed.set('GOVERNANCE', 60_000)).toBe('done');
    expect([await governed.set('GOVERNANCE', 1_000), await governed.remove()]).toEqual([
      'AccessDenied',
      'AccessDenied',
    ]);
    const version = await stored({
      ObjectLockMode: 'GOVERNANCE',
      ObjectLockRetainUntilDate: new Date(Date.now() + 60_000),
    });
    expect(await retain(host, version).remove(true)).toBe('AccessDenied');
    expect(await governed.set('GOVERNANCE', 1_000, true)).toBe('done');
    expect(await governed.remove(true)).toBe('done');
    const complied = retain(own, await stored());
    expect(await complied.set('COMPLIANCE', 60_000)).toBe('done');
    expect([
      await complied.set('COMPLIANCE', 1_000, true),
      await complied.set('GOVERNANCE', 90_000, true),
      await complied.remove(true),
    ]).toEqual(Array(3).fill('AccessDenied'));
    expect(await complied.set('COMPLIANCE', 90_000)).toBe('done');
  });

  test("a bucket's default locks each new version, and versioning cannot be suspended under it", async () => {
    const Rule = { DefaultRetention: { Mode: 'GOVERNANCE', Days: 2 } } as const;
    const configure = (rule?: typeof Rule) =>
      as(own).send(
        new PutObjectLockConfigurationCommand({
          Bucket,
          ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', ...(rule && { Rule: rule }) },
        }),
      );
    await configure(Rule);
    const version = await stored();
    const begun = await as(own).send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts' }));
    const part = { Bucket, Key: 'parts', UploadId: begun.UploadId };
    const { ETag } = await as(own).send(new UploadPartCommand({ ...part, PartNumber: 1, Body: 'x' }));
    const completed = await as(own).send(
      new CompleteMultipartUploadCommand({ ...part, MultipartUpload: { Parts: [{ ETag, PartNumber: 1 }] } }),
    );
    const { ObjectLockConfiguration } = await as(host).send(
      new GetObjectLockConfigurationCommand({ Bucket }),
    );
    await configure();
    expect(ObjectLockConfiguration).toEqual({ ObjectLockEnabled: 'Enabled', Rule });
    for (const one of [locking(version), { Bucket, Key: 'parts', VersionId: completed.VersionId }]) {
      const { Retention } = await as(own).send(new GetObjectRetentionCommand(one));
      expect(Retention?.Mode).toBe('GOVERNANCE');
      expect(Retention?.RetainUntilDate?.getTime()).toBeGreaterThan(Date.now() + 47 * 3_600_000);
    }
    expect(await retain(host, version).remove()).toBe('AccessDenied');
    // A marker in front of it may be put.
    expect(await outcome(as(host).send(new DeleteObjectCommand({ Bucket, Key: sealed })))).toBe('done');
    const suspended = new PutBucketVersioningCommand({
      Bucket,
      VersioningConfiguration: { Status: 'Suspended' },
    });
    expect(await outcome(as(own).send(suspended))).toBe('InvalidBucketState');
  });

  test('a bucket without Object Lock says so to each question', async () => {
    const plain = 'plain-bucket';
    await as(own).send(new CreateBucketCommand({ Bucket: plain }));
    await as(own).send(new PutObjectCommand({ Bucket: plain, Key: 'a', Body: 'x' }));
    const of = { Bucket: plain, Key: 'a' };
    expect(await outcome(as(own).send(new GetObjectLockConfigurationCommand({ Bucket: plain })))).toBe(
      'ObjectLockConfigurationNotFoundError',
    );
    expect(await outcome(as(own).send(new GetObjectRetentionCommand(of)))).toBe('InvalidRequest');
    expect(await outcome(as(own).send(new GetObjectLegalHoldCommand(of)))).toBe('InvalidRequest');
    // Its policies name one bucket, and what they do not name is refused.
    expect(await outcome(as(host).send(new GetObjectCommand(of)))).toBe('AccessDenied');
    expect(await outcome(as(host).send(new DeleteBucketCommand({ Bucket })))).toBe('AccessDenied');
  });
});

test('keys that nobody has are unknown, and a signature by another secret does not match', async () => {
  expect(await put({ ...host, accessKeyId: 'AKIAUNKNOWN' }, sealed)).toBe('InvalidAccessKeyId');
  const mixed = { ...functions, secretAccessKey: host.secretAccessKey };
  expect(await put(mixed, sealed)).toBe('SignatureDoesNotMatch');
});
