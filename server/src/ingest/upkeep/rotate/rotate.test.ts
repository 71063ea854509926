import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  PutObjectLegalHoldCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CustodyError, objectKey, type RecordingSid } from '@flex-custody/core';
import { createKeys, createStore, openStream, type Store, sealBytes } from '@flex-custody/vault';
import { wav } from '../../../../../packages/vault/test/support.ts';
import { createFaults } from '../../../../../sandbox/src/faults.ts';
import { type OwnS3, startS3 } from '../../../../../sandbox/src/s3/index.ts';
import { openSidecar } from '../../../catalog/sidecars.ts';
import { lockedUntil } from '../../../retention/remove.ts';
import { resealSecrets } from '../../../secrets/reseal.ts';
import { createSealedSecrets } from '../../../secrets/sealed-secrets.ts';
import { createSecretKeys } from '../../../secrets/secret-keys.ts';
import type { IngestDeps } from '../../deps.ts';
import { house, sharedDatabase } from '../../testing/house.ts';
import { scene, sids } from '../../testing/scene.ts';
import { describeJob } from '../../verify/describe-job.ts';
import { type RotateOptions, rotateKeys } from './index.ts';

const shared = sharedDatabase();
const of = (...ids: string[]) =>
  createKeys({
    kind: 'raw-aes',
    keys: ids.map((keyId) => ({ keyId, key: new Uint8Array(32).fill(keyId.charCodeAt(0)) })),
  });
const audio = wav(2);
let folder: string;
let s3: OwnS3;
let store: Store;
let client: S3Client;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rotate-'));
  s3 = await startS3({
    directory: folder,
    region: 'us-east-1',
    buckets: ['custody'],
    faults: createFaults(),
  });
  client = new S3Client({
    endpoint: s3.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: s3,
  });
  store = createStore({ ...s3, region: 'us-east-1', bucket: 'custody', pathStyle: true, mode: 'envelope' });
});
afterAll(async () => {
  client.destroy();
  store.close();
  await s3.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await shared.db.query('TRUNCATE runs');
  for await (const { key, versionId } of store.versions('')) await store.delete(key, versionId);
});

/** A house with so many recordings that key `a` has sealed, and keys `b`, `a` from then on. */
async function open(count: number, change: Partial<IngestDeps> = {}) {
  const bucket = change.store ?? store;
  const host = await house(scene(), shared.db, { store, keys: of('a'), ...change });
  for (let n = 1; n <= count; n += 1) {
    const sid = sids.recording(n);
    const bytes = await sealBytes(of('a'), { account: sids.account, recording: sid }, audio);
    const key = objectKey(sids.account, sid);
    await host.catalog.register({
      recordingSid: sid,
      accountSid: sids.account,
      channels: 2,
      startedAt: new Date(),
      hints: {},
      source: 'callback',
    });
    const lease = (await host.catalog.lease(sid, 'test', 60_000))?.secret ?? '';
    const { etag, versionId } = await bucket.putBytes(key, bytes);
    const object = {
      key,
      mode: 'envelope' as const,
      etag,
      ...(versionId !== undefined && { versionId }),
      bytes: bytes.length,
      plaintextBytes: audio.length,
      keyId: 'a',
    };
    await host.catalog.sealed(sid, lease, object, 2);
    await host.catalog.verified(sid, object, 'a'.repeat(64));
    await describeJob(host.deps, sid);
  }
  host.deps.keys = of('b', 'a');
  const run = async (options: RotateOptions = {}, signal?: AbortSignal) =>
    (await host.deps.runs.run('rotate-keys', { ...options }, (one) => rotateKeys(host.deps, one), signal))
      .counts;
  return { ...host, run };
}
type House = Awaited<ReturnType<typeof open>>;

const versions = async (bucket = store) => {
  let found = 0;
  for await (const _ of bucket.versions('recordings/')) found += 1;
  return found;
};
/** Recording and sidecar, by key `b` alone. */
async function opens({ catalog, deps }: House, sid: RecordingSid): Promise<boolean> {
  const row = await catalog.find(sid);
  const object = row?.object;
  if (!object || !row.sidecar) return false;
  const { body } = await store.get(object.key, { ifMatch: object.etag });
  const opener = openStream(of('b'), { account: sids.account, recording: sid });
  const read: Buffer[] = [];
  for await (const chunk of body.pipe(opener)) read.push(chunk as Buffer);
  const { sidecar } = await openSidecar({ ...deps, keys: of('b') }, sid, row.sidecar);
  return Buffer.concat(read).equals(audio) && sidecar.object.keyId === 'b';
}

test('each is renewed once, with its sidecar, and nothing of the old key is left', async () => {
  const host = await open(6);
  expect(await host.run({ dryRun: true })).toEqual({ done: 6, recordings: 6 });
  expect(await host.run()).toEqual({ done: 6, recordings: 6, sidecars: 6 });
  for (let n = 1; n <= 6; n += 1) expect(await opens(host, sids.recording(n))).toBe(true);
  expect(await versions()).toBe(12);
  expect(await host.run()).toEqual({});
});

test('ended in the midst, it goes on behind the last', async () => {
  const host = await open(9);
  const ending = new AbortController();
  const renewed = host.catalog.renewed;
  let seen = 0;
  host.deps.catalog.renewed = async (...args) => {
    seen += 1;
    if (seen === 6) ending.abort(new CustodyError('stopping', 'the process ends'));
    return renewed(...args);
  };
  await expect(host.run({}, ending.signal)).rejects.toMatchObject({ code: 'stopping' });
  expect(seen).toBeLessThan(9);
  const rest = await host.run();
  expect(rest).toMatchObject({ done: expect.any(Number) });
  expect(Object.keys(rest).filter((name) => name.startsWith('failed'))).toEqual([]);
  // What was under way when it ended is taken up by the next run.
  await host.run();
  for (let n = 1; n <= 9; n += 1) expect(await opens(host, sids.recording(n))).toBe(true);
  expect(await versions()).toBe(18);
});

test('what cannot be renewed stays as it was, and is said; the others are', async () => {
  const host = await open(3);
  const bad = (await host.catalog.find(sids.recording(2)))?.object;
  await store.delete(bad?.key ?? '', bad?.versionId);
  expect(await host.run()).toMatchObject({ recordings: 2, failed_object_missing: 1 });
  expect((await host.catalog.find(sids.recording(2)))?.object).toEqual({ ...bad });
  expect(await host.run({ from: 'a' })).toMatchObject({ failed_object_missing: 1 });
});

test('one that is copied anew meanwhile keeps the copy, and what was renewed goes', async () => {
  const host = await open(1);
  const sid = sids.recording(1);
  host.deps.catalog.renewed = async () => false;
  const before = await host.catalog.find(sid);
  expect(await host.run()).toEqual({ done: 1, changed_meanwhile: 1 });
  expect(await host.catalog.find(sid)).toEqual(before);
  expect(await versions()).toBe(2);
});

test('by the key that is named alone', async () => {
  const host = await open(2);
  host.deps.keys = of('c', 'b', 'a');
  await expect(host.run({ from: 'c' })).rejects.toMatchObject({ code: 'key_unknown' });
  expect(await host.run({ from: 'b' })).toEqual({});
  expect(await host.run({ from: 'a', verify: true })).toMatchObject({ failed_object_mismatch: 2 });
  await shared.db.query(`UPDATE recordings SET object = object - 'plaintextSha256'`);
  expect(await host.run({ from: 'a', verify: true })).toMatchObject({ recordings: 2, sidecars: 2 });
});

const versioning = (Status: 'Enabled' | 'Suspended') =>
  client.send(new PutBucketVersioningCommand({ Bucket: 'custody', VersioningConfiguration: { Status } }));

test('while versioning is suspended nothing is renewed, and the versions that there are stay', async () => {
  const host = await open(2);
  await versioning('Suspended');
  try {
    await expect(host.run()).rejects.toMatchObject({
      code: 'rotation_unversioned',
      message: expect.stringContaining('suspended'),
    });
    expect(await versions()).toBe(4);
    expect((await host.catalog.find(sids.recording(1)))?.object?.keyId).toBe('a');
  } finally {
    await versioning('Enabled');
  }
});

test('who may not ask whether versions are kept is told which right is missing', async () => {
  const host = await open(1);
  host.deps.store = told({ unavailable: 'denied' });
  await expect(host.run()).rejects.toMatchObject({
    code: 'rotation_unversioned',
    message: expect.stringContaining('s3:GetBucketVersioning'),
  });
});

/** The same bucket, which says this of its versions. */
const told = (answer: Awaited<ReturnType<Store['versioning']>>): Store =>
  new Proxy(store, {
    get: (of, name) => {
      if (name === 'versioning') return async () => answer;
      const value: unknown = Reflect.get(of, name, of);
      return typeof value === 'function' ? value.bind(of) : value;
    },
  });

test('where the store cannot say, the first renewed object without a version of its own ends it, and is noted', async () => {
  const host = await open(6);
  host.deps.store = told({ unavailable: 'unsupported' });
  await versioning('Suspended');
  try {
    await expect(host.run()).rejects.toMatchObject({ code: 'rotation_unversioned' });
  } finally {
    await versioning('Enabled');
  }
  // Those that were under way at once, and none behind them.
  const rows = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => host.catalog.find(sids.recording(n))));
  expect(rows.map((row) => [row?.object?.keyId, row?.object?.versionId === 'null'])).toEqual([
    ...Array(4).fill(['b', true]),
    ...Array(2).fill(['a', false]),
  ]);
  // The old version of each is there still, beside the new one and the sidecar.
  expect(await versions()).toBe(12 + 4);
  await describeJob(host.deps, sids.recording(1));
  expect(await opens(host, sids.recording(1))).toBe(true);
});

test('what is held in the bucket stays, and keeps the whole recording; a later run removes what was left', async () => {
  const Bucket = 'locked';
  await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  const locked = createStore({
    ...s3,
    region: 'us-east-1',
    bucket: Bucket,
    pathStyle: true,
    mode: 'envelope',
  });
  const host = await open(2, { store: locked });
  const { object } = (await host.catalog.find(sids.recording(1))) ?? {};
  const hold = (Status: 'ON' | 'OFF') =>
    client.send(
      new PutObjectLegalHoldCommand({
        Bucket,
        Key: object?.key,
        VersionId: object?.versionId,
        LegalHold: { Status },
      }),
    );
  await hold('ON');
  expect(await host.run()).toMatchObject({ recordings: 2, old_versions_left: 1 });
  expect(await versions(locked)).toBe(5);
  const of = { accountSid: sids.account, recordingSid: sids.recording(1) };
  expect(await lockedUntil(locked, of)).toBe('legal-hold');
  expect(await host.run()).toEqual({ old_versions_left: 1 });
  await hold('OFF');
  expect(await host.run()).toEqual({ old_versions_removed: 1 });
  expect(await versions(locked)).toBe(4);
  locked.close();
});

test('a key that is not at hand and has sealed nothing is none', async () => {
  const host = await open(1);
  await expect(host.run({ from: 'nope' })).rejects.toMatchObject({ code: 'key_unknown' });
  await expect(host.run({ from: 'nope', dryRun: true })).rejects.toMatchObject({ code: 'key_unknown' });
  host.deps.keys = of('b');
  // It has sealed one, and is lost: that is said of the recording.
  expect(await host.run({ from: 'a' })).toMatchObject({ failed_envelope_wrong_key: 1 });
});

test('a bucket without versions is refused, and where S3 seals there is nothing to do', async () => {
  await client.send(new CreateBucketCommand({ Bucket: 'bare' }));
  const bare = createStore({ ...s3, region: 'us-east-1', bucket: 'bare', pathStyle: true, mode: 'envelope' });
  const host = await open(1);
  const object = (await host.catalog.find(sids.recording(1)))?.object;
  await bare.putBytes(object?.key ?? '', Buffer.from('x'));
  host.deps.store = bare;
  await expect(host.run()).rejects.toMatchObject({ code: 'rotation_unversioned' });
  bare.close();
  host.deps.keys = undefined;
  await expect(host.run()).rejects.toMatchObject({ code: 'rotation_by_s3' });
});

describe('stored secrets', () => {
  const account = sids.account;
  const keysOf = (...ids: string[]) =>
    createSecretKeys({
      accountSid: account,
      secretsKeys: ids.map((id) => new Uint8Array(32).fill(id.charCodeAt(0))),
    });
  const sealed = () => createSealedSecrets(shared.db, async () => undefined);
  const resealing = (...ids: string[]): Partial<IngestDeps> => ({
    resealSecrets: (options, signal) =>
      resealSecrets({ sealed: sealed(), keys: keysOf(...ids) }, options, signal),
  });
  const put = async (name: string, by: string) =>
    sealed().put(await keysOf(by).seal(name, `value of ${name}`), 'cli');
  beforeEach(() => shared.db.query('TRUNCATE secrets'));

  test('are sealed again beside the recordings, and a dry run changes none', async () => {
    const host = await open(1, resealing('n', 'o'));
    await put('one', 'o');
    await put('two', 'o');
    expect(await host.run({ dryRun: true })).toMatchObject({ secrets: 2 });
    expect((await sealed().find('one'))?.keyId).toBe(keysOf('o').keyId);
    expect(await host.run()).toMatchObject({ secrets: 2, recordings: 1 });
    const one = await sealed().find('one');
    expect(one && (await keysOf('n').open(one))).toBe('value of one');
    expect(await host.run()).not.toHaveProperty('secrets');
  });

  test('one that does not open is counted, and the recordings are rotated all the same', async () => {
    const host = await open(1, resealing('n', 'o'));
    await put('one', 'x');
    expect(await host.run()).toMatchObject({ failed_secrets: 1, recordings: 1 });
    expect(host.lines.join()).toContain('secret_unreadable');
    expect(host.lines.join()).not.toContain('value of');
  });

  test('where S3 encrypts they are all there is to rotate', async () => {
    const host = await open(1, resealing('n', 'o'));
    host.deps.keys = undefined;
    await put('one', 'o');
    expect(await host.run()).toMatchObject({ secrets: 1 });
    await expect(host.run()).rejects.toMatchObject({ code: 'rotation_by_s3' });
  });

  test('a key that only they are under is known to a rotation from it', async () => {
    const host = await open(1, resealing('n', 'o'));
    await put('one', 'o');
    expect(await host.run({ from: keysOf('o').keyId ?? '' })).toMatchObject({ secrets: 1 });
  });
});
