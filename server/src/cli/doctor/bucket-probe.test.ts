import type { ServerResponse } from 'node:http';
import { createKeys, createStore, type Store, type StoreConfig } from '@flex-custody/vault';
import { FakeS3, refuse, type S3Request } from '../../../../packages/vault/test/fake-s3.ts';
import { probeBucket } from './bucket-probe.ts';

const s3 = new FakeS3();
const keys = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'k1', key: new Uint8Array(32) }] });
const version = 'v1';
let config: StoreConfig;
let store: Store;
beforeAll(async () => {
  config = await s3.start();
  store = createStore(config);
});
afterAll(() => {
  store.close();
  s3.stop();
});
beforeEach(() => s3.reset());

const probe = (of: Store = store) => probeBucket(of, keys, `AC${'0a'.repeat(16)}`);
const deny = (which: (request: S3Request) => boolean) => {
  s3.fault = (request, response: ServerResponse) => {
    if (!which(request)) return false;
    refuse(response, 403, 'AccessDenied');
    return true;
  };
};
/** The same store, its objects with a version. */
const versioned = (): Store =>
  Object.assign(Object.create(store) as Store, {
    bucket: store.bucket,
    check: () => store.check(),
    putBytes: async (...args: Parameters<Store['putBytes']>) => ({
      ...(await store.putBytes(...args)),
      versionId: version,
    }),
    get: (...args: Parameters<Store['get']>) => store.get(...args),
    mode: store.mode,
    list: (prefix: string) => store.list(prefix),
    unfinishedUploads: (prefix: string) => store.unfinishedUploads(prefix),
    delete: (key: string, id?: string) => store.delete(key, id),
  });

test('with every right it says whether versions are kept, and leaves nothing', async () => {
  expect(await probe()).toBe(false);
  expect(await probe(versioned())).toBe(true);
  expect([...s3.objects.keys(), ...s3.uploads.keys()]).toEqual([]);
  const asked = s3.requests.filter(({ query }) => query.get('versionId') === version);
  expect(asked.map(({ method }) => method)).toEqual(['GET', 'DELETE']);
});

test.each([
  ['s3:PutObject', (r: S3Request) => r.method === 'PUT', false],
  ['s3:GetObject', (r: S3Request) => r.method === 'GET' && r.key !== '', false],
  ['s3:GetObjectVersion', (r: S3Request) => r.method === 'GET' && r.query.has('versionId'), true],
  ['s3:ListBucketMultipartUploads', (r: S3Request) => r.method === 'GET' && r.query.has('uploads'), false],
  ['s3:DeleteObject', (r: S3Request) => r.method === 'DELETE' && !r.query.has('uploadId'), false],
  ['s3:DeleteObjectVersion', (r: S3Request) => r.method === 'DELETE' && r.query.has('versionId'), true],
])('without %s that is what it names', async (right, which, keepsVersions) => {
  deny(which);
  const refused = probe(keepsVersions ? versioned() : store);
  await expect(refused).rejects.toMatchObject({ code: 'store_denied' });
  await expect(refused).rejects.toThrow(`refuses ${right}: allow it`);
  if (!right.startsWith('s3:Delete')) expect([...s3.objects.keys()]).toEqual([]);
});

test('in mode sse-kms S3 must say that it encrypted', async () => {
  const sealing = createStore({ ...config, mode: 'sse-kms', kmsKeyId: 'K' });
  try {
    await probeBucket(sealing, undefined, 'AC');
    s3.fault = (request) => {
      if (request.method === 'HEAD') s3.atRest.clear();
      return false;
    };
    await expect(probeBucket(sealing, undefined, 'AC')).rejects.toMatchObject({ code: 'store_unencrypted' });
    expect([...s3.objects.keys()]).toEqual([]);
  } finally {
    sealing.close();
  }
});

test('a store that ignores ranges cannot play', async () => {
  s3.fault = ({ headers }) => {
    delete headers.range;
    return false;
  };
  await expect(probe()).rejects.toMatchObject({ code: 'store_ranges' });
});
