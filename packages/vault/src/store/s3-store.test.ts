import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { CustodyError } from '@flex-custody/core';
import { FakeS3, refuse } from '../../test/fake-s3.ts';
import { codeOf, collect, inChunks } from '../../test/support.ts';
import { createStore } from './s3-store.ts';
import type { Store, StoreConfig } from './types.ts';

const MiB = 1024 * 1024;
const s3 = new FakeS3();
let config: StoreConfig;
let store: Store;

beforeAll(async () => {
  config = { ...(await s3.start()), partBytes: 5 * MiB, partsAtOnce: 3 };
  store = createStore(config);
});
afterAll(() => {
  store.close();
  s3.stop();
});
beforeEach(() => s3.reset());

/** So many bytes, then the error; undefined ends well. */
function breaking(bytes: number, error?: Error): Readable {
  const body = inChunks(randomBytes(bytes), 65_536);
  return Readable.from(
    (async function* () {
      yield* body;
      if (error) throw error;
    })(),
  );
}

const methods = () =>
  s3.requests.map(({ method, query }) => `${method}${query.has('partNumber') ? ' part' : ''}`);

describe('put', () => {
  test('a small body is one request', async () => {
    const bytes = randomBytes(1000);
    const stored = await store.put('k', inChunks(bytes, 100));
    expect(stored).toEqual({ etag: expect.stringMatching(/^".+"$/), bytes: 1000 });
    expect(s3.objects.get('k')?.equals(bytes)).toBe(true);
    expect(methods()).toEqual(['PUT']);
    // What radosgw answers 411 to.
    expect(s3.requests[0]!.headers['content-length']).toBe('1000');
    expect(s3.requests[0]!.headers['content-encoding']).toBeUndefined();
    expect(s3.requests[0]!.headers['x-amz-content-sha256']).toBe('UNSIGNED-PAYLOAD');
  });

  test('a large body is a multipart upload, its progress told', async () => {
    const bytes = randomBytes(12 * MiB + 5);
    const progress: number[] = [];
    const stored = await store.put('k', inChunks(bytes, 65_536), {
      onProgress: (done) => progress.push(done),
    });
    expect(stored.bytes).toBe(bytes.length);
    expect(s3.objects.get('k')?.equals(bytes)).toBe(true);
    expect(s3.uploads.size).toBe(0);
    expect(progress).toHaveLength(3);
    expect(progress.at(-1)).toBe(bytes.length);
  });

  test('a buffer is filled anew only when its part has landed, in whatever order parts land', async () => {
    const small = createStore({ ...config, partBytes: 65_536, partsAtOnce: 2 });
    const bytes = randomBytes(40 * 65_536 + 7);
    s3.fault = async ({ query }) => {
      const part = Number(query.get('partNumber') ?? 0);
      if (part > 0) await sleep(part % 3 === 0 ? 25 : 2);
      return false;
    };
    await small.put('k', inChunks(bytes, 10_000, 90_000));
    small.close();
    expect(s3.objects.get('k')?.equals(bytes)).toBe(true);
    expect(methods().filter((method) => method === 'PUT part')).toHaveLength(41);
  });

  const reason = new CustodyError('media_cut', 'cut', { retryable: true });
  test.each([
    ['before its first byte', 0],
    ['within the first part', MiB],
    ['after several parts', 17 * MiB],
  ])('a body that breaks %s leaves nothing', async (_when, bytes) => {
    await expect(store.put('k', breaking(bytes, reason))).rejects.toBe(reason);
    expect(s3.objects.size + s3.uploads.size).toBe(0);
  });

  test('a body that was already broken leaves nothing, and brings nothing down', async () => {
    const body = new PassThrough();
    body.on('error', () => undefined);
    body.destroy(reason);
    await sleep(5);
    await expect(store.put('k', body)).rejects.toBe(reason);
    const silent = new PassThrough().destroy();
    await sleep(5);
    await expect(store.put('k', silent)).rejects.toThrow();
    expect(s3.objects.size + s3.uploads.size).toBe(0);
  });

  test('a part that S3 refuses for good ends the upload at once and leaves nothing', async () => {
    s3.fault = ({ query }, response) => {
      if (query.get('partNumber') !== '2') return false;
      refuse(response, 403, 'AccessDenied');
      return true;
    };
    let pulled = 0;
    const body = inChunks(randomBytes(60 * MiB), 65_536).on(
      'data',
      (chunk: Buffer) => (pulled += chunk.length),
    );
    body.pause();
    expect(await codeOf(store.put('k', body))).toBe('store_denied');
    expect(s3.objects.size + s3.uploads.size).toBe(0);
    expect(pulled).toBeLessThan(40 * MiB);
    expect(body.destroyed).toBe(true);
  });

  test('a passing 503 is tried again', async () => {
    let left = 1;
    s3.fault = ({ query }, response) => {
      if (query.get('partNumber') !== '2' || left-- <= 0) return false;
      refuse(response, 503, 'SlowDown');
      return true;
    };
    await store.put('k', breaking(12 * MiB));
    expect(s3.objects.get('k')).toHaveLength(12 * MiB);
  });

  test('a refused completion leaves nothing', async () => {
    s3.fault = ({ method, query }, response) => {
      if (method !== 'POST' || !query.has('uploadId')) return false;
      refuse(response, 400, 'InvalidPart');
      return true;
    };
    expect(await codeOf(store.put('k', breaking(12 * MiB)))).toBe('store_unavailable');
    expect(s3.objects.size + s3.uploads.size).toBe(0);
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
      const { etag } = await store.put('k', breaking(12 * MiB));
      expect(etag).toBe((await store.head('k'))?.etag);
    });

    test('is reckoned from the parts’, where the writer may not look', async () => {
      mayLook = false;
      const bytes = randomBytes(10 * MiB + 1);
      const stored = await store.put('k', inChunks(bytes, 65_536));
      const md5 = (part: Buffer) => createHash('md5').update(part).digest();
      const parts = [0, 5, 10].map((at) => md5(bytes.subarray(at * MiB, (at + 5) * MiB)));
      expect(stored.etag).toBe(`"${md5(Buffer.concat(parts)).toString('hex')}-3"`);
      expect(seen).toContain('HEAD');
      expect(s3.objects.get('k')?.equals(bytes)).toBe(true);
    });
  });

  test('a part that lands after the clean-up is cleaned up too', async () => {
    let swept = 0;
    s3.fault = ({ method, query, key }, response) => {
      if (method === 'DELETE') {
        swept += 1;
        // The first abandonment loses against a part still on its way.
        if (swept === 1) {
          response.writeHead(204).end();
          return true;
        }
      }
      if (query.get('partNumber') !== '1' || key !== 'k') return false;
      refuse(response, 403, 'AccessDenied');
      return true;
    };
    expect(await codeOf(store.put('k', breaking(12 * MiB)))).toBe('store_denied');
    expect(s3.uploads.size).toBe(0);
    expect(swept).toBe(2);
  });

  test.each([
    ['during the first part', MiB],
    ['later', 12 * MiB],
  ])('told to stop %s, it stops at once and leaves nothing', async (_when, bytes) => {
    const stop = new AbortController();
    s3.fault = ({ query }) => query.has('partNumber');
    const body = new PassThrough();
    body.write(randomBytes(bytes));
    const work = store.put('k', body, { signal: stop.signal });
    await sleep(100);
    const reason = new Error('lease lost');
    stop.abort(reason);
    await expect(work).rejects.toBe(reason);
    expect(s3.objects.size + s3.uploads.size).toBe(0);
    expect(body.destroyed).toBe(true);
  });

  test('a body that breaks while parts hang on the wire does not wait for them', async () => {
    s3.fault = ({ query }) => query.has('partNumber');
    const body = new PassThrough();
    body.write(randomBytes(12 * MiB));
    const work = store.put('k', body);
    await sleep(100);
    body.destroy(reason);
    await expect(work).rejects.toBe(reason);
    expect(s3.objects.size + s3.uploads.size).toBe(0);
  }, 5_000);

  test('in sse-kms mode S3 is told to seal', async () => {
    const sealing = createStore({ ...config, mode: 'sse-kms', kmsKeyId: 'K' });
    await sealing.put('k', inChunks(randomBytes(10), 10));
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

  test('a sealed message is given no type of audio', async () => {
    await store.put('k', inChunks(randomBytes(10), 10));
    expect(s3.requests[0]!.headers['content-type']).not.toBe('audio/wav');
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
    await store.put('other', inChunks(randomBytes(10), 10));
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
    await store.check();
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
