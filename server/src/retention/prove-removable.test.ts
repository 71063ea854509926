import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectLockConfigurationCommand, S3Client } from '@aws-sdk/client-s3';
import { createStore, type Store } from '@flex-custody/vault';
import { createFaults } from '../../../sandbox/src/faults.ts';
import { type OwnS3, startS3 } from '../../../sandbox/src/s3/index.ts';
import { hostPolicy } from '../../../sandbox/src/s3/policies.ts';
import { policyOf, without } from '../../../sandbox/src/s3/policy.ts';
import { newIdentity } from '../../../sandbox/src/s3/rights.ts';
import { proveRemovable } from './prove-removable.ts';

const Bucket = 'calls';
const full = policyOf(hostPolicy, Bucket);
const host = newIdentity('host', full);
let folder: string;
let s3: OwnS3;
let store: Store;
const open = (own: OwnS3, bucket: string, credentials: { accessKeyId: string; secretAccessKey: string }) =>
  createStore({ ...own, ...credentials, bucket, region: 'us-east-1', pathStyle: true, mode: 'envelope' });
const world = { region: 'us-east-1', buckets: [Bucket], faults: createFaults() };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'removable-'));
  s3 = await startS3({ ...world, directory: join(folder, 'a'), identities: [host] });
  store = open(s3, Bucket, host);
});
afterAll(async () => {
  store.close();
  await s3.close();
  rmSync(folder, { recursive: true, force: true });
});

async function left(of: Store): Promise<number> {
  let count = 0;
  for await (const _one of of.versions('')) count += 1;
  return count;
}

test('with the rights of the docs an object of its own comes and goes', async () => {
  expect(await proveRemovable(store)).toEqual({ versioned: true });
  expect(await left(store)).toBe(0);
});

test.each(['s3:ListBucketVersions', 's3:PutObject', 's3:DeleteObjectVersion'])(
  'without %s nothing else is begun, and that right is named; once it is given, nothing is left',
  async (right) => {
    host.policy = without(full, new RegExp(`^${right}$`));
    for (const _try of [1, 2])
      await expect(proveRemovable(store)).rejects.toMatchObject({
        code: 'store_denied',
        message: expect.stringContaining(`refuses ${right}: allow it`),
      });
    host.policy = full;
    // What could not be removed is used again, not added to.
    expect(await left(store)).toBe(right === 's3:DeleteObjectVersion' ? 1 : 0);
    await proveRemovable(store);
    expect(await left(store)).toBe(0);
  },
);

test('a store without versions removes it too', async () => {
  const bare = await startS3({ ...world, directory: join(folder, 'b'), unversioned: true });
  const plain = open(bare, Bucket, bare);
  expect(await proveRemovable(plain)).toEqual({ versioned: false });
  expect(await left(plain)).toBe(0);
  plain.close();
  await bare.close();
});

test('where everything is locked by default it is not tried to its end, nor again', async () => {
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: s3,
  });
  await client.send(new CreateBucketCommand({ Bucket: 'locked', ObjectLockEnabledForBucket: true }));
  await client.send(
    new PutObjectLockConfigurationCommand({
      Bucket: 'locked',
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 1 } },
      },
    }),
  );
  const locked = open(s3, 'locked', s3);
  for (const _try of [1, 2])
    expect(await proveRemovable(locked)).toEqual({
      versioned: true,
      locked: { until: expect.any(Date), legalHold: false },
    });
  expect(await left(locked)).toBe(1);
  locked.close();
  client.destroy();
});

test('a bucket that says it went, and has it still, lets nothing go', async () => {
  const one = { key: 'recordings/.check/erasing', versionId: 'v1', deleteMarker: false };
  const lying = {
    bucket: Bucket,
    versions: async function* () {
      yield one;
    },
    lockOf: async () => undefined,
    delete: async () => undefined,
  } as unknown as Store;
  await expect(proveRemovable(lying)).rejects.toMatchObject({ code: 'erasure_incomplete', retryable: true });
});
