import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type CopyReport, objectKey, type SealedObject } from '@flex-custody/core';
import { createStore, type Store, type StoreConfig } from '@flex-custody/vault';
import { wav } from '../../../packages/vault/test/support.ts';
import { createFaults } from '../../../sandbox/src/faults.ts';
import { type OwnS3, startS3 } from '../../../sandbox/src/s3/index.ts';
import { house, sharedDatabase } from './testing/house.ts';
import { recorded, scene, sids } from './testing/scene.ts';
import { adopt } from './upkeep/reconcile/adopt.ts';

const shared = sharedDatabase();
const arn = (id: string) => `arn:aws:kms:us-east-1:111122223333:key/${id}`;
const audio = wav(4);
const sid = sids.recording(1);
const key = objectKey(sids.account, sid);
let folder: string;
let s3: OwnS3;
let store: Store;
let client: S3Client;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sse-kms-'));
  s3 = await startS3({
    directory: folder,
    region: 'us-east-1',
    buckets: ['custody'],
    faults: createFaults(),
  });
  const config: StoreConfig = {
    ...s3,
    region: 'us-east-1',
    bucket: 'custody',
    pathStyle: true,
    mode: 'sse-kms',
    kmsKeyId: 'ours',
    olderKmsKeyIds: ['older'],
  };
  store = createStore(config);
  const { endpoint, accessKeyId, secretAccessKey } = s3;
  client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
});
afterAll(async () => {
  store.close();
  client.destroy();
  await s3.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  for await (const version of store.versions('')) await store.delete(version.key, version.versionId);
});

type Encryption = Pick<
  ConstructorParameters<typeof PutObjectCommand>[0],
  'ServerSideEncryption' | 'SSEKMSKeyId'
>;

/** As somebody with the Functions' rights could put it. */
async function put(encryption: Encryption): Promise<SealedObject> {
  const stored = await client.send(
    new PutObjectCommand({ Bucket: 'custody', Key: key, Body: audio, ...encryption }),
  );
  return {
    key,
    mode: 'sse-kms',
    etag: stored.ETag ?? '',
    ...(stored.VersionId && { versionId: stored.VersionId }),
    bytes: audio.length,
    plaintextBytes: audio.length,
    keyId: 'ours',
  };
}

/** A Function has the lease, and says that it has copied. */
async function reported(encryption: Encryption) {
  const twilio = scene();
  const host = await house(twilio, shared.db, { store });
  const answer = await host.ingest.receive(recorded(twilio, 1, { durationSeconds: 4 }));
  if (answer.action !== 'copy') throw new Error('no lease');
  host.queue.sent = [];
  const object = await put(encryption);
  const report: CopyReport = { outcome: 'sealed', lease: answer.lease, object, channels: 2, tookMs: 500 };
  return { ...host, object, lease: answer.lease, said: host.ingest.report(sid, report) };
}

const byKms = (id: string): Encryption => ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: arn(id) });
const notSealed: [string, Encryption][] = [
  ['in the clear', {}],
  ["by S3's own key", { ServerSideEncryption: 'AES256' }],
  ["by somebody else's key", byKms('theirs')],
];

test.each(notSealed)(
  'a report of what lies there %s is not believed: the host copies',
  async (_how, encryption) => {
    const { said, catalog, queue } = await reported(encryption);
    await expect(said).rejects.toMatchObject({ code: 'object_unproven', status: 422 });
    expect(await catalog.find(sid)).toMatchObject({ state: 'registered', failure: 'object_unproven' });
    expect(queue.names()).toEqual(['copy']);
  },
);

test.each([
  ['the key', byKms('ours')],
  ['an older key', byKms('older')],
  ['the key, twice', { ...byKms('ours'), ServerSideEncryption: 'aws:kms:dsse' } as Encryption],
])('what S3 sealed by %s is believed and verified', async (_how, encryption) => {
  const { said, catalog, queue } = await reported(encryption);
  expect(await said).toEqual({ state: 'sealed' });
  await queue.run('verify', { recordingSid: sid });
  expect((await catalog.find(sid))?.state).toBe('verified');
});

test.each(notSealed)(
  'what lies there %s is not verified, and the host copies it again',
  async (_how, encryption) => {
    const { said, catalog, queue, lease, alarmCodes } = await reported(encryption);
    await said.catch(() => undefined);
    // As a release that did not look would have taken it.
    await catalog.lease(sid, 'function', 60_000);
    await shared.db.query('UPDATE recordings SET lease = $1', [lease]);
    const object = await put(encryption);
    expect(await catalog.sealed(sid, lease, object, 2)).toBe(true);
    queue.sent = [];
    await queue.run('verify', { recordingSid: sid });
    expect(await catalog.find(sid)).toMatchObject({ state: 'registered', failure: 'object_unencrypted' });
    expect(queue.names()).toEqual(['copy']);
    expect(await alarmCodes()).toEqual(['object_rejected']);
    // It may be the only copy there is.
    expect(await store.head(object.key, object.versionId)).toBeDefined();
  },
);

test.each(notSealed)('what lies there %s and no catalog knows is not adopted', async (_how, encryption) => {
  const host = await house(scene(), shared.db, { store });
  await put(encryption);
  await expect(adopt(host.deps, sid)).rejects.toMatchObject({ code: 'object_unencrypted' });
  expect(await host.catalog.find(sid)).toBeUndefined();
});

test('what S3 sealed by the key is adopted', async () => {
  const host = await house(scene(), shared.db, { store });
  await put(byKms('ours'));
  expect(await adopt(host.deps, sid)).toBe(true);
  expect(await host.catalog.find(sid)).toMatchObject({ state: 'sealed', object: { keyId: arn('ours') } });
});

test('the host asks S3 to seal by the newest key, and S3 says so', async () => {
  const { versionId } = await store.putBytes(key, audio);
  expect(
    await client.send(new HeadObjectCommand({ Bucket: 'custody', Key: key, VersionId: versionId })),
  ).toMatchObject({
    ServerSideEncryption: 'aws:kms',
    SSEKMSKeyId: 'ours',
  });
  expect(await store.head(key, versionId)).toMatchObject({ encryption: 'aws:kms', kmsKeyId: 'ours' });
});
