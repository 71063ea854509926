import { randomBytes } from 'node:crypto';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { FakeS3, refuse } from '../../test/fake-s3.ts';
import { codeOf, collect } from '../../test/support.ts';
import { createClient } from './client.ts';
import { readTarget } from './direct.ts';
import { createStore } from './s3-store.ts';
import type { Store, StoreConfig } from './types.ts';

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

/** Who asked, and for what: the SDK says its name with each request. */
const asked = () =>
  s3.requests.map(
    ({ method, headers }) => `${method} ${/aws-sdk-js/.test(headers['user-agent'] ?? '') ? 'sdk' : 'direct'}`,
  );
const bytes = randomBytes(1_000);

test('what succeeds is one request of our own, signed', async () => {
  expect(await store.putBytes('recordings/AC1/RE1', bytes)).toEqual({
    etag: expect.any(String),
    bytes: 1_000,
  });
  const found = await store.get('recordings/AC1/RE1', { start: 10, end: 19 });
  expect(found).toMatchObject({ bytes: 10, totalBytes: 1_000 });
  expect(await collect(found.body)).toEqual(bytes.subarray(10, 20));
  expect(asked()).toEqual(['PUT direct', 'GET direct']);
  for (const { headers } of s3.requests) {
    expect(headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=A\/\d{8}\/eu-west-1\/s3\/aws4_request, SignedHeaders=.*host.*, Signature=[0-9a-f]{64}$/,
    );
    expect(headers['x-amz-content-sha256']).toBe('UNSIGNED-PAYLOAD');
  }
});

test('a session of a role carries its token', async () => {
  const ofRole = createStore({ ...config, sessionToken: 'T' });
  await ofRole.putBytes('k', bytes);
  ofRole.close();
  expect(s3.requests[0]!.headers['x-amz-security-token']).toBe('T');
  expect(asked()).toEqual(['PUT direct']);
});

test.each(['refused', 'cut'])('what is %s once is asked for again by the SDK', async (how) => {
  let first = true;
  s3.fault = (_request, response) => {
    if (!first) return false;
    first = false;
    if (how === 'cut') response.destroy();
    else refuse(response, 503, 'SlowDown');
    return true;
  };
  await store.putBytes('k', bytes);
  expect(s3.objects.get('k')?.equals(bytes)).toBe(true);
  expect(asked()).toEqual(['PUT direct', 'PUT sdk']);
});

test('what is not there is said by the SDK', async () => {
  expect(await codeOf(store.get('nothing'))).toBe('object_missing');
  expect(asked()).toEqual(['GET direct', 'GET sdk']);
});

test('keys that a URL does not hold as they are, are left to the SDK', async () => {
  await store.putBytes('a b+c', bytes);
  expect(s3.objects.has('a b+c')).toBe(true);
  expect(asked()).toEqual(['PUT sdk']);
});

test('what S3 is to seal is left to the SDK, which signs it whole', async () => {
  const sealedByS3 = createStore({ ...config, mode: 'sse-kms' });
  await sealedByS3.putBytes('k', bytes);
  sealedByS3.close();
  expect(asked()).toEqual(['PUT sdk']);
});

test('who breaks off before the answer gets his reason, and nobody asks again', async () => {
  s3.fault = () => true;
  const stop = new AbortController();
  const answer = store.get('k', { signal: stop.signal });
  const reason = new Error('enough');
  setTimeout(() => stop.abort(reason), 50);
  await expect(answer).rejects.toBe(reason);
  expect(asked()).toEqual(['GET direct']);
});

describe('where a bucket is', () => {
  const probeOf = async (of: Partial<StoreConfig>) => {
    const bucket = of.bucket ?? 'calls';
    const client = createClient({
      ...config,
      endpoint: undefined,
      pathStyle: undefined,
      ...of,
      bucket,
    } as StoreConfig);
    const command = new GetObjectCommand({ Bucket: bucket, Key: 'probe' });
    return new URL(await getSignedUrl(client, command).finally(() => client.destroy()));
  };

  test.each<[string, Partial<StoreConfig>, string, string]>([
    ['at AWS', {}, 'https://calls.s3.eu-west-1.amazonaws.com', '/'],
    ['with dots', { bucket: 'my.bucket' }, 'https://s3.eu-west-1.amazonaws.com', '/my.bucket/'],
    ['in China', { region: 'cn-north-1' }, 'https://calls.s3.cn-north-1.amazonaws.com.cn', '/'],
    [
      'elsewhere',
      { endpoint: 'http://s3.example:9000', pathStyle: true },
      'http://s3.example:9000',
      '/calls/',
    ],
  ])('%s', async (_, of, origin, path) => {
    const region = of.region ?? 'eu-west-1';
    expect(readTarget(await probeOf(of))).toEqual({ origin: new URL(origin), path, region });
  });

  test('one that is signed for in another way is the SDK’s alone', async () => {
    const changed = async (name: string, from: RegExp, to: string) => {
      const probe = await probeOf({});
      const value = probe.searchParams.get(name) ?? '';
      expect(value).toMatch(from);
      probe.searchParams.set(name, value.replace(from, to));
      return readTarget(probe);
    };
    expect(await changed('X-Amz-Credential', /s3(?=\/aws4_request)/, 's3express')).toBeUndefined();
    expect(await changed('X-Amz-Algorithm', /HMAC/, 'ECDSA-P256')).toBeUndefined();
  });
});
