import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AccountSid, objectKey, type RecordingSid, sidecarKey } from '@flex-custody/core';
import { createStore, type Store } from '@flex-custody/vault';
import { createFaults } from '../../../sandbox/src/faults.ts';
import { failureFault } from '../../../sandbox/src/s3/failures.ts';
import { type OwnS3, startS3 } from '../../../sandbox/src/s3/index.ts';
import { keptVersionsOf, lockedUntil, removeFromBucket, versionsOf } from './remove.ts';

const accountSid = `AC${'a'.repeat(32)}` as AccountSid;
const recordingSid = `RE${'b'.repeat(32)}` as RecordingSid;
const of = { accountSid, recordingSid };
const keys = [objectKey(accountSid, recordingSid), sidecarKey(accountSid, recordingSid)];
const faults = createFaults();
const world = { region: 'us-east-1', buckets: ['calls'], faults };
const unknown = { status: 501, code: 'NotImplemented' };

let folder: string;
/** One that keeps no versions and knows no such question, as Cloudflare R2; one of AWS's kind. */
let engines: { bare: OwnS3; versioned: OwnS3 };
let stores: { bare: Store; versioned: Store };
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unversioned-'));
  engines = {
    bare: await startS3({ ...world, directory: join(folder, 'bare'), unversioned: true }),
    versioned: await startS3({ ...world, directory: join(folder, 'versioned') }),
  };
  const open = (s3: OwnS3) =>
    createStore({ ...s3, bucket: 'calls', region: 'us-east-1', pathStyle: true, mode: 'envelope' });
  stores = { bare: open(engines.bare), versioned: open(engines.versioned) };
});
afterAll(async () => {
  for (const one of Object.values(stores)) one.close();
  for (const one of Object.values(engines)) await one.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => faults.clear());

async function listed(store: Store) {
  const found: { key: string; versionId?: string }[] = [];
  for await (const one of versionsOf(store, of)) found.push(one);
  return found;
}
const put = async (store: Store) => {
  for (const key of keys) await store.putBytes(key, Buffer.from(key));
};
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

test('its objects are all there is, nothing locks them, and they go', async () => {
  const { bare: store } = stores;
  await put(store);
  await store.putBytes(`${keys[0]}0`, Buffer.from('of another'));
  const found = await listed(store);
  expect(found).toMatchObject(keys.map((key) => ({ key, latest: true, deleteMarker: false })));
  expect(found.map(({ versionId }) => versionId)).toEqual([undefined, undefined]);
  expect(await lockedUntil(store, of)).toBeUndefined();
  expect(await keptVersionsOf(store, found)).toBe('unknown');
  const onRemoved = jest.fn();
  await removeFromBucket(store, of, onRemoved);
  expect([onRemoved.mock.calls.length, await listed(store), await store.head(keys[0] ?? '')]).toEqual([
    2,
    [],
    undefined,
  ]);
  expect(await store.head(`${keys[0]}0`)).toBeDefined();
});

test('what is there still, though no list has it any more, is no erasure', async () => {
  const [key = ''] = keys;
  let isListed = true;
  const lying = {
    unfinishedUploads: async function* () {},
    versions: async function* () {
      if (isListed) yield { key, deleteMarker: false };
    },
    delete: async () => {
      isListed = false;
    },
    head: async () => ({ etag: '"e"', bytes: 1 }),
  } as unknown as Store;
  expect(await code(removeFromBucket(lying, of))).toBe('erasure_incomplete');
});

test.each([
  ['501', unknown],
  ['405', { status: 405, code: 'MethodNotAllowed' }],
  ['400', { status: 400, code: 'MalformedXML' }],
])('a %s to the list of versions is believed only of a bucket that keeps none', async (_status, failure) => {
  const { versioned: store } = stores;
  await put(store);
  faults.add(failureFault(failure, 'versions'));
  expect(await code(removeFromBucket(store, of))).toBe('store_unsupported');
  faults.add(failureFault({ status: 403, code: 'AccessDenied' }, '?versioning'));
  expect(await code(removeFromBucket(store, of))).toBe('store_unsupported');
  faults.clear();
  expect((await listed(store)).filter(({ versionId }) => versionId !== undefined).length).toBeGreaterThan(1);
});

test.each([
  ['an outage', { status: 503, code: 'SlowDown' }, 'store_unavailable'],
  ['a setting', { status: 400, code: 'ExpiredToken' }, 'store_credentials'],
])('%s says nothing of versions', async (_what, failure, wanted) => {
  faults.add(failureFault(failure, '?'));
  expect(await code(removeFromBucket(stores.bare, of))).toBe(wanted);
});

test("somebody else's page is no list of nothing", async () => {
  faults.add({ target: 's3', kind: 'html', times: 0 });
  expect(await code(listed(stores.versioned))).toBe('store_unavailable');
});

test('where each has a version, nothing is to be said of it', async () => {
  const { versioned: store } = stores;
  await put(store);
  expect(await keptVersionsOf(store, await listed(store))).toBeUndefined();
  await removeFromBucket(store, of);
  expect(await listed(store)).toEqual([]);
});
