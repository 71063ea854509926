import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { type AccountSid, objectKey, type RecordingSid, sidecarKey } from '@flex-custody/core';
import { createStore, type Store } from '@flex-custody/vault';
import { createFaults } from '../../../sandbox/src/faults.ts';
import { type OwnS3, startS3 } from '../../../sandbox/src/s3/index.ts';
import { hostPolicy } from '../../../sandbox/src/s3/policies.ts';
import { policyOf, without } from '../../../sandbox/src/s3/policy.ts';
import { newIdentity } from '../../../sandbox/src/s3/rights.ts';
import { lockedUntil, sayLocked } from './remove.ts';

const accountSid = `AC${'a'.repeat(32)}` as AccountSid;
const recordingSid = `RE${'b'.repeat(32)}` as RecordingSid;
const of = { accountSid, recordingSid };
const object = objectKey(accountSid, recordingSid);
const sidecar = sidecarKey(accountSid, recordingSid);
const Bucket = 'locked';
const full = policyOf(hostPolicy, Bucket);
const host = newIdentity('host', full);
let folder: string;
let s3: OwnS3;
let client: S3Client;
let store: Store;

const storeOf = (bucket: string) =>
  createStore({ ...s3, ...host, bucket, region: 'us-east-1', pathStyle: true, mode: 'envelope' });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remove-'));
  s3 = await startS3({
    directory: folder,
    region: 'us-east-1',
    buckets: [],
    faults: createFaults(),
    identities: [host],
  });
  client = new S3Client({
    endpoint: s3.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: s3,
  });
  await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
});
afterAll(async () => {
  client.destroy();
  await s3.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  host.policy = full;
  store = storeOf(Bucket);
  for await (const { key, versionId } of store.versions('')) await store.delete(key, versionId);
});
afterEach(async () => {
  host.policy = full;
  for await (const { key, versionId, deleteMarker } of store.versions(''))
    if (!deleteMarker) await hold(key, versionId, 'OFF');
  store.close();
});

const hold = (Key: string, VersionId: string | undefined, Status: 'ON' | 'OFF' = 'ON') =>
  client.send(new PutObjectLegalHoldCommand({ Bucket, Key, VersionId, LegalHold: { Status } }));
const put = async (key: string) => (await store.putBytes(key, Buffer.from(key))).versionId;

test('any version that is held keeps the whole, an older one and a sidecar too', async () => {
  const older = await put(object);
  await put(object);
  const beside = await put(sidecar);
  expect(await lockedUntil(store, of)).toBeUndefined();
  await hold(object, older);
  expect(await lockedUntil(store, of)).toBe('legal-hold');
  await hold(object, older, 'OFF');
  await hold(sidecar, beside);
  expect(await lockedUntil(store, of)).toBe('legal-hold');
});

test('of several periods the last counts', async () => {
  for (const ms of [1_500, 3_000, 2_000]) {
    await client.send(
      new PutObjectRetentionCommand({
        Bucket,
        Key: object,
        VersionId: await put(object),
        Retention: { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() + ms) },
      }),
    );
  }
  const until = (await lockedUntil(store, of)) as Date;
  expect(until.getTime() - Date.now()).toBeGreaterThan(2_000);
  // Versions that are locked go when their time is over, which no other test waits for.
  for await (const { key, versionId } of store.versions(''))
    await client.send(
      new PutObjectRetentionCommand({
        Bucket,
        Key: key,
        VersionId: versionId,
        Retention: { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() - 1_000) },
        BypassGovernanceRetention: true,
      }),
    );
  expect(await lockedUntil(store, of)).toBeUndefined();
});

test.each([
  ['the retention', /GetObjectRetention/],
  ['the legal hold', /GetObjectLegalHold/],
  ['either', /GetObject(Retention|LegalHold)/],
])(
  'who may not ask for %s counts everything as locked, and is told which rights are missing',
  async (_of, rights) => {
    const version = await put(object);
    await hold(object, version);
    host.policy = without(full, rights);
    // A HEAD says nothing of it.
    if (String(rights).includes('Legal')) expect((await store.head(object, version))?.lock).toBeUndefined();
    const locked = await lockedUntil(store, of);
    expect(['unknown', 'legal-hold']).toContain(locked);
    await hold(object, version, 'OFF');
    expect(await lockedUntil(store, of)).toBe('unknown');
    expect(sayLocked('unknown')).toContain('s3:GetObjectRetention and s3:GetObjectLegalHold');
  },
);

test('a bucket that is known to have no Object Lock locks nothing; one that nobody may ask may', async () => {
  const bare = 'bare';
  await client.send(new CreateBucketCommand({ Bucket: bare }));
  const few = without(policyOf(hostPolicy, bare), /GetObject(Retention|LegalHold)/);
  const plain = storeOf(bare);
  host.policy = policyOf(hostPolicy, bare);
  await plain.putBytes(object, Buffer.from('x'));
  host.policy = without(few, /ObjectLockConfiguration/);
  expect(await lockedUntil(plain, of)).toBe('unknown');
  host.policy = few;
  expect(await lockedUntil(plain, of)).toBeUndefined();
  plain.close();
});
