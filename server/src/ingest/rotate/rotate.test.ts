import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CustodyError, objectKey, type RecordingSid } from '@flex-custody/core';
import { createKeys, createStore, openStream, type Store, sealBytes } from '@flex-custody/vault';
import { wav } from '../../../../packages/vault/test/support.ts';
import { createFaults } from '../../../../sandbox/src/faults.ts';
import { type OwnS3, startS3 } from '../../../../sandbox/src/s3/index.ts';
import { describeJob } from '../describe-job.ts';
import type { IngestParts } from '../parts.ts';
import { openSidecar } from '../sidecars.ts';
import { house, sharedDatabase } from '../testing/house.ts';
import { scene, sids } from '../testing/scene.ts';
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

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rotate-'));
  s3 = await startS3({
    directory: folder,
    region: 'us-east-1',
    buckets: ['custody'],
    faults: createFaults(),
  });
  store = createStore({ ...s3, region: 'us-east-1', bucket: 'custody', pathStyle: true, mode: 'envelope' });
});
afterAll(async () => {
  store.close();
  await s3.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await shared.db.query('TRUNCATE runs');
  for await (const { key, versionId } of store.versions('')) await store.delete(key, versionId);
});

/** A house with so many recordings that key `a` has sealed, and keys `b`, `a` from then on. */
async function open(count: number, change: Partial<IngestParts> = {}) {
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
    const { etag, versionId } = await store.putBytes(key, bytes);
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
    await describeJob(host.parts, sid);
  }
  host.parts.keys = of('b', 'a');
  const run = async (options: RotateOptions = {}, signal?: AbortSignal) =>
    (await host.parts.runs.run('rotate-keys', { ...options }, (one) => rotateKeys(host.parts, one), signal))
      .counts;
  return { ...host, run };
}
type House = Awaited<ReturnType<typeof open>>;

const versions = async () => {
  let found = 0;
  for await (const _ of store.versions('recordings/')) found += 1;
  return found;
};
/** Recording and sidecar, by key `b` alone. */
async function opens({ catalog, parts }: House, sid: RecordingSid): Promise<boolean> {
  const row = await catalog.find(sid);
  const object = row?.object;
  if (!object || !row.sidecar) return false;
  const { body } = await store.get(object.key, { ifMatch: object.etag });
  const opener = openStream(of('b'), { account: sids.account, recording: sid });
  const read: Buffer[] = [];
  for await (const chunk of body.pipe(opener)) read.push(chunk as Buffer);
  const { sidecar } = await openSidecar({ ...parts, keys: of('b') }, sid, row.sidecar);
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
  host.parts.catalog.renewed = async (...args) => {
    seen += 1;
    if (seen === 6) ending.abort(new CustodyError('stopping', 'the process ends', { retryable: true }));
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
  host.parts.catalog.renewed = async () => false;
  const before = await host.catalog.find(sid);
  expect(await host.run()).toEqual({ done: 1, changed_meanwhile: 1 });
  expect(await host.catalog.find(sid)).toEqual(before);
  expect(await versions()).toBe(2);
});

test('by the key that is named alone', async () => {
  const host = await open(2);
  host.parts.keys = of('c', 'b', 'a');
  await expect(host.run({ from: 'c' })).rejects.toMatchObject({ code: 'key_unknown' });
  expect(await host.run({ from: 'b' })).toEqual({});
  expect(await host.run({ from: 'a', verify: true })).toMatchObject({ failed_object_mismatch: 2 });
  await shared.db.query(`UPDATE recordings SET object = object - 'plaintextSha256'`);
  expect(await host.run({ from: 'a', verify: true })).toMatchObject({ recordings: 2, sidecars: 2 });
});

test('a bucket without versions is refused, and where S3 seals there is nothing to do', async () => {
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: s3,
  });
  await client.send(new CreateBucketCommand({ Bucket: 'bare' }));
  client.destroy();
  const bare = createStore({ ...s3, region: 'us-east-1', bucket: 'bare', pathStyle: true, mode: 'envelope' });
  const host = await open(1);
  const object = (await host.catalog.find(sids.recording(1)))?.object;
  await bare.putBytes(object?.key ?? '', Buffer.from('x'));
  host.parts.store = bare;
  await expect(host.run()).rejects.toMatchObject({ code: 'rotation_unversioned' });
  bare.close();
  host.parts.keys = undefined;
  await expect(host.run()).rejects.toMatchObject({ code: 'rotation_by_s3' });
});
