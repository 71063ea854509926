import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { until } from '../../../../test/support/until.ts';
import { FakeS3, refuse } from '../../test/fake-s3.ts';
import { codeOf, collect } from '../../test/support.ts';
import { createStore } from './s3-store.ts';
import type { Store, StoreConfig } from './types.ts';

const MiB = 1024 * 1024;
const s3 = new FakeS3();
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

/** In parts of 5 MiB, completed in another order. */
async function uploaded(bytes: Buffer) {
  const id = await store.beginUpload('k');
  const parts = [];
  for (let at = 0; at < bytes.length; at += 5 * MiB)
    parts.push(await store.sendPart('k', id, parts.length + 1, bytes.subarray(at, at + 5 * MiB)));
  return store.completeUpload('k', id, parts.reverse(), bytes.length);
}

describe('putBytes', () => {
  test('is one request', async () => {
    const bytes = randomBytes(1000);
    const stored = await store.putBytes('k', bytes);
    expect(stored).toEqual({ etag: expect.stringMatching(/^".+"$/), bytes: 1000 });
    expect(s3.objects.get('k')?.equals(bytes)).toBe(true);
    expect(s3.requests.map(({ method }) => method)).toEqual(['PUT']);
    // What radosgw answers 411 to.
    expect(s3.requests[0]!.headers['content-length']).toBe('1000');
    expect(s3.requests[0]!.headers['content-encoding']).toBeUndefined();
    expect(s3.requests[0]!.headers['x-amz-content-sha256']).toBe('UNSIGNED-PAYLOAD');
    expect(s3.requests[0]!.headers['content-type']).not.toBe('audio/wav');
  });

  test('in sse-kms mode S3 is told to seal', async () => {
    const sealing = createStore({ ...config, mode: 'sse-kms', kmsKeyId: 'K' });
    await sealing.putBytes('k', randomBytes(10));
    expect(s3.requests[0]!.headers).toMatchObject({
      // Nothing else proves these bytes.
      'x-amz-content-sha256': expect.stringMatching(/^[0-9a-f]{64}$/),
      'content-type': 'audio/wav',
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'K',
    });
    const link = new URL(await sealing.presignGet('k', undefined, 60));
    expect(link.pathname).toBe('/b/k');
    expect(Object.fromEntries(link.searchParams)).toMatchObject({
      'X-Amz-Expires': '60',
      'response-content-type': 'audio/wav',
      'response-cache-control': 'private, no-store',
    });
    sealing.close();
  });

  test.each(['envelope', 'sse-kms'] as const)('in mode %s ends with the signal', async (mode) => {
    const one = createStore({ ...config, mode });
    const stop = new AbortController();
    const reason = new Error('out of time');
    s3.fault = () => true;
    const work = one.putBytes('k', randomBytes(10), { signal: stop.signal });
    await until(() => s3.requests.length === 1);
    stop.abort(reason);
    await expect(work).rejects.toBe(reason);
    expect(s3.requests).toHaveLength(1);
    one.close();
  });
});

describe('a completion that does not name the ETag, as radosgw’s', () => {
  const seen: string[] = [];
  let mayLook: boolean;
  beforeEach(() => {
    seen.length = 0;
    s3.fault = ({ method, query, key }, response) => {
      seen.push(method);
      if (method === 'HEAD' && !mayLook) return !!response.writeHead(403).end();
      const id = query.get('uploadId') ?? '';
      if (method !== 'POST' || id === '') return false;
      const parts = [...(s3.uploads.get(id)?.parts ?? [])].sort(([a], [b]) => a - b);
      s3.objects.set(key, Buffer.concat(parts.map(([, part]) => part)));
      s3.uploads.delete(id);
      return !!response.writeHead(200).end('<CompleteMultipartUploadResult/>');
    };
  });

  test('is asked for', async () => {
    mayLook = true;
    const { etag } = await uploaded(randomBytes(12 * MiB));
    expect(etag).toBe((await store.head('k'))?.etag);
  });

  test('is reckoned from the parts’, where the writer may not look', async () => {
    mayLook = false;
    const bytes = randomBytes(10 * MiB + 1);
    const stored = await uploaded(bytes);
    const md5 = (part: Buffer) => createHash('md5').update(part).digest();
    const parts = [0, 5, 10].map((at) => md5(bytes.subarray(at * MiB, (at + 5) * MiB)));
    expect(stored.etag).toBe(`"${md5(Buffer.concat(parts)).toString('hex')}-3"`);
    expect(seen).toContain('HEAD');
    expect(s3.objects.get('k')?.equals(bytes)).toBe(true);
  });
});

describe('get', () => {
  const bytes = randomBytes(1000);
  beforeEach(() => {
    s3.objects.set('k', bytes);
  });

  test('whole, and any range of one version', async () => {
    const whole = await store.get('k');
    expect(whole).toMatchObject({ totalBytes: 1000, bytes: 1000 });
    expect((await collect(whole.body)).equals(bytes)).toBe(true);
    const part = await store.get('k', { start: 10, end: 19, ifMatch: whole.etag });
    expect(part).toMatchObject({ totalBytes: 1000, bytes: 10 });
    expect((await collect(part.body)).equals(bytes.subarray(10, 20))).toBe(true);
    const rest = await store.get('k', { start: 990 });
    expect((await collect(rest.body)).equals(bytes.subarray(990))).toBe(true);
  });

  test('listeners, however many, keep no copy waiting', async () => {
    const held: ServerResponse[] = [];
    s3.fault = ({ method }, response) => {
      if (method !== 'GET') return false;
      response.writeHead(200, { 'content-length': 1000, etag: '"e"' }).write(bytes.subarray(0, 10));
      return held.push(response) > 0;
    };
    const bodies = await Promise.all(Array.from({ length: 500 }, () => store.get('k')));
    await store.putBytes('other', randomBytes(10));
    expect(s3.objects.has('other')).toBe(true);
    for (const { body } of bodies) body.on('error', () => undefined).destroy();
  });

  test('tells absence, change and unsatisfiable ranges apart', async () => {
    expect(await codeOf(store.get('nothing'))).toBe('object_missing');
    expect(await codeOf(store.get('k', { ifMatch: '"other"' }))).toBe('object_changed');
    expect(await codeOf(store.get('k', { start: 1000 }))).toBe('object_range');
    expect(await store.head('nothing')).toBeUndefined();
    expect(await store.head('k')).toMatchObject({ bytes: 1000 });
  });

  test.each([
    [403, 'AccessDenied', 'store_denied'],
    [404, 'NoSuchBucket', 'store_denied'],
    [503, 'SlowDown', 'store_unavailable'],
  ])('%i %s is %s, and may pass', async (status, name, code) => {
    s3.fault = (_request, response) => {
      refuse(response, status, name);
      return true;
    };
    await expect(store.get('k')).rejects.toMatchObject({ code, retryable: true });
  });

  test('a HEAD that says 400 and no more is asked once more by GET, which has a body for the reason', async () => {
    s3.fault = ({ method }, response) => {
      if (method === 'HEAD') response.writeHead(400).end();
      else refuse(response, 400, 'ExpiredToken');
      return true;
    };
    await expect(store.head('k')).rejects.toMatchObject({ code: 'store_credentials' });
    expect(s3.requests.map(({ method, headers }) => [method, headers.range])).toEqual([
      ['HEAD', undefined],
      ['GET', 'bytes=0-0'],
    ]);
  });

  test.each(['get', 'putBytes', 'head', 'list'] as const)(
    '%s says the same of the same answer',
    async (ask) => {
      const region = 'eu-central-1';
      s3.fault = ({ method }, response) => {
        const headers = { 'content-type': 'application/xml', 'x-amz-bucket-region': region };
        const body = `<Error><Code>AuthorizationHeaderMalformed</Code><Region>${region}</Region></Error>`;
        response.writeHead(400, headers).end(method === 'HEAD' ? '' : body);
        return true;
      };
      const asked = {
        get: () => store.get('k'),
        putBytes: () => store.putBytes('k', Buffer.from('x')),
        head: () => store.head('k'),
        list: async () => {
          for await (const _one of store.list('')) break;
        },
      }[ask]();
      await expect(asked).rejects.toMatchObject({
        code: 'store_region',
        message: expect.stringMatching(/: set AWS_REGION to eu-central-1$/),
      });
    },
  );

  test('ends with the caller’s signal, and fails when the connection is cut', async () => {
    s3.fault = (_request, response) => {
      response.writeHead(200, { 'content-length': 1000, etag: '"e"' });
      response.write(bytes.subarray(0, 10));
      return true;
    };
    const stop = new AbortController();
    const { body } = await store.get('k', { signal: stop.signal });
    stop.abort();
    await expect(collect(body)).rejects.toThrow();
    s3.fault = (_request, response) => {
      response.writeHead(200, { 'content-length': 1000, etag: '"e"' });
      response.write(bytes.subarray(0, 10), () => response.destroy());
      return true;
    };
    const cut = await store.get('k');
    await expect(collect(cut.body)).rejects.toThrow();
  });
});

test('lists objects and unfinished uploads page by page, and removes both', async () => {
  for (const key of ['r/1', 'r/2', 'r/3', 'r/4', 'r/5', 'x']) s3.objects.set(key, randomBytes(3));
  for (const id of ['a', 'b', 'c', 'd', 'e']) s3.uploads.set(id, { key: 'r/1', parts: new Map() });
  const keys: string[] = [];
  for await (const { key, bytes } of store.list('r/')) keys.push(`${key} ${bytes}`);
  expect(keys).toEqual(['r/1 3', 'r/2 3', 'r/3 3', 'r/4 3', 'r/5 3']);
  const ids: string[] = [];
  for await (const { uploadId } of store.unfinishedUploads('r/')) ids.push(uploadId);
  expect(ids).toEqual(['a', 'b', 'c', 'd', 'e']);
  await store.abortUpload('r/1', 'a');
  await store.abortUpload('r/1', 'a');
  await store.delete('x');
  expect(s3.uploads.has('a') || s3.objects.has('x')).toBe(false);
});

test.each([false, true])(
  'lists what is behind a key, where the store ignores StartAfter: %s',
  async (ignores) => {
    s3.ignoresStartAfter = ignores;
    for (const key of ['r/1', 'r/2', 'r/3', 'r/4', 'r/5', 'x']) s3.objects.set(key, randomBytes(3));
    const behind = async (after: string) => {
      const keys: string[] = [];
      for await (const { key } of store.list('r/', { after })) keys.push(key);
      return keys;
    };
    expect(await behind('r/2')).toEqual(['r/3', 'r/4', 'r/5']);
    expect(s3.requests.map(({ query }) => query.get('start-after'))).toEqual(
      ignores ? ['r/2', null, null] : ['r/2', null],
    );
    expect(await behind('r/2.json')).toEqual(['r/3', 'r/4', 'r/5']);
    expect(await behind('r/5')).toEqual([]);
  },
);

describe('check', () => {
  test('asks for what a writer needs and leaves nothing', async () => {
    const rarely = createStore({ ...config, storageClass: 'STANDARD_IA' });
    await rarely.check();
    rarely.close();
    // A class that the store has not is refused here, and not at the first recording.
    expect(s3.requests[0]!.headers['x-amz-storage-class']).toBe('STANDARD_IA');
    expect(s3.objects.size + s3.uploads.size).toBe(0);
  });

  test.each([
    [404, 'NoSuchBucket', /bucket b does not exist: create it/],
    [403, 'AccessDenied', /allow s3:PutObject/],
    [403, 'SignatureDoesNotMatch', /check the access key id/],
    [301, 'PermanentRedirect', /AWS_REGION/],
  ])('says the next step for %i %s', async (status, name, says) => {
    s3.fault = (_request, response) => {
      refuse(response, status, name);
      return true;
    };
    await expect(store.check()).rejects.toThrow(says);
  });

  test('and for an endpoint that is not there', async () => {
    const nowhere = createStore({ ...config, endpoint: 'http://127.0.0.1:9' });
    await expect(nowhere.check()).rejects.toThrow(/no answer from http:\/\/127.0.0.1:9/);
    nowhere.close();
  });
});
