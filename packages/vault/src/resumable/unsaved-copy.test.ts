import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { CustodyError } from '@flex-custody/core';
import { until } from '../../../../test/support/until.ts';
import { FakeS3, refuse } from '../../test/fake-s3.ts';
import { credentials, MediaServer, mediaOf, source } from '../../test/media-server.ts';
import { codeOf, inChunks, rsaPair, wav } from '../../test/support.ts';
import { createKeys } from '../keys/keys.ts';
import { openMedia } from '../source/open-media.ts';
import { createStore } from '../store/s3-store.ts';
import type { Store, StoreConfig } from '../store/types.ts';
import { verifyObject } from '../verify.ts';
import { copyResumably, type ResumableInput } from './resumable-copy.ts';

const s3 = new FakeS3();
const server = new MediaServer();
const { privateKeyPem, spki } = rsaPair();
const writer = createKeys({ kind: 'rsa-public', keyId: 'r1', spki });
const reader = createKeys({ kind: 'rsa', keys: [{ keyId: 'r1', privateKeyPem }] });
const audio = wav(200);
const MiB = 1024 * 1024;
/** Of 18 MiB: three parts of 5 MiB and some. */
const long = wav(590);
let config: StoreConfig;
let store: Store;
let plain: Store;

beforeAll(async () => {
  config = await s3.start();
  store = createStore(config);
  plain = createStore({ ...config, mode: 'sse-kms' });
  await server.start();
});
afterAll(() => {
  store.close();
  plain.close();
  s3.stop();
  server.stop();
});
beforeEach(() => s3.reset());

/** As a Function copies: the media is open already, and no state is saved. */
const copyOf = (body: Readable, more: Partial<ResumableInput> = {}) =>
  copyResumably({
    source,
    open: async () => mediaOf(body),
    keys: writer,
    store,
    objectKey: 'k',
    framesPerPart: 80,
    ...more,
  });

async function copy({
  durationSeconds,
  ...more
}: Partial<ResumableInput> & { durationSeconds?: number } = {}) {
  const of = { ...source, ...(durationSeconds !== undefined && { durationSeconds }) };
  const media = await openMedia(of, credentials, { stallMs: 200 });
  return copyOf(media.body, { source: of, open: async () => media, ...more });
}

const left = () => [...s3.objects.keys(), ...s3.uploads.keys()];
const isPart = ({ query }: { query: URLSearchParams }, number?: number) =>
  number === undefined ? query.has('partNumber') : query.get('partNumber') === String(number);

describe('a copy that no process continues', () => {
  test.each([
    ['of one piece', audio, 128, 0],
    ['of several parts', audio, 80, 2],
  ])(
    '%s is sealed by a key that cannot open it, and proven by the one that can',
    async (_of, bytes, framesPerPart, parts) => {
      server.serve(bytes);
      const { object, channels } = await copy({ durationSeconds: 200, framesPerPart });
      expect(channels).toBe(2);
      expect(object).toMatchObject({
        key: 'k',
        mode: 'envelope',
        etag: expect.stringMatching(/^"/),
        bytes: s3.objects.get('k')?.length,
        plaintextBytes: bytes.length,
        plaintextSha256: createHash('sha256').update(bytes).digest('hex'),
        keyId: 'r1',
      });
      expect(object.parts?.sha256.length ?? 0).toBe(parts);
      expect(left()).toEqual(['k']);
      expect(s3.objects.get('k')?.includes(bytes.subarray(1000, 1100))).toBe(false);
      const seen: Uint8Array[] = [];
      await verifyObject({ object, source, keys: reader, store, onPlaintext: (chunk) => seen.push(chunk) });
      expect(Buffer.concat(seen).equals(bytes)).toBe(true);
    },
  );

  test.each([80, 128])(
    'is in the storage class for recordings, in parts of %i frames',
    async (framesPerPart) => {
      const rarely = createStore({ ...config, storageClass: 'STANDARD_IA' });
      await copyOf(inChunks(audio, 65_536), { framesPerPart, store: rarely });
      expect(s3.requests[0]?.headers['x-amz-storage-class']).toBe('STANDARD_IA');
      rarely.close();
    },
  );

  test('opens the media once', async () => {
    let opened = 0;
    const open = async () => {
      opened += 1;
      return mediaOf(inChunks(audio, 65_536), audio.length);
    };
    await copyOf(new PassThrough(), { open });
    expect(opened).toBe(1);
  });

  test('tells how far it is', async () => {
    server.serve(audio);
    const seen: [number, number | undefined][] = [];
    await copy({ onProgress: (...at) => seen.push(at) });
    expect(seen.at(-1)).toEqual([audio.length, audio.length]);
  });

  test('in sse-kms mode S3 seals it', async () => {
    server.serve(audio);
    const { object } = await copy({ store: plain, keys: undefined });
    expect(object).toMatchObject({ mode: 'sse-kms', bytes: audio.length });
    expect(s3.objects.get('k')?.equals(audio)).toBe(true);
    await verifyObject({ object, source, keys: undefined, store: plain });
    const atRest = s3.atRest.get('k') ?? {};
    for (const lie of [{}, { ...atRest, 'x-amz-server-side-encryption': 'AES256' }]) {
      s3.atRest.set('k', lie as Record<string, string>);
      expect(await codeOf(verifyObject({ object, source, keys: undefined, store: plain }))).toBe(
        'object_unencrypted',
      );
    }
    s3.atRest.set('k', atRest);
    s3.objects.get('k')![5000]! ^= 1;
    const changed = { ...object, etag: (await plain.head('k'))!.etag };
    expect(await codeOf(verifyObject({ object: changed, source, keys: undefined, store: plain }))).toBe(
      'object_mismatch',
    );
  });

  test('is never stored unsealed for want of a key', async () => {
    const body = inChunks(audio, 65_536);
    expect(await codeOf(copyOf(body, { keys: undefined }))).toBe('key_invalid');
    expect(left()).toEqual([]);
    expect(body.destroyed).toBe(true);
  });

  test('names the key that sealed it, also where the bucket encrypts it once more', async () => {
    s3.fault = (_request, response) => {
      response.setHeader('x-amz-server-side-encryption-aws-kms-key-id', 'of-the-bucket');
      return false;
    };
    for (const framesPerPart of [80, 128]) {
      const { object } = await copyOf(inChunks(audio, 65_536), { framesPerPart });
      expect(object.keyId).toBe('r1');
    }
  });

  test('fills a buffer again only when its part has arrived, in whatever order parts arrive', async () => {
    const arrived = new Map<number, () => void>();
    const order: number[] = [];
    s3.fault = async ({ query }) => {
      const part = Number(query.get('partNumber') ?? 0);
      // Each odd part waits for the even one behind it.
      if (part % 2 === 1 && part < 41) await new Promise<void>((resolve) => arrived.set(part + 1, resolve));
      if (part > 0) order.push(part);
      arrived.get(part)?.();
      return false;
    };
    const bytes = wav((40 * 65_536 + 7_000 - 44) / 32_000);
    const { object } = await copyOf(inChunks(bytes, 10_000, 90_000), { framesPerPart: 1 });
    await verifyObject({ object, source, keys: reader, store });
    expect(order.slice(0, 4)).toEqual([2, 1, 4, 3]);
    expect(order).toHaveLength(41);
  });
});

describe('a source that is not the whole recording leaves no object and no parts', () => {
  const part = (bytes: number, then: (response: ServerResponse) => void) => () => {
    server.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/x-wav', 'content-length': audio.length });
      response.write(audio.subarray(0, bytes), () => setTimeout(() => then(response), 20));
    };
  };
  const open = (bytes: Buffer) => () => {
    server.answer = (_request, response) =>
      response.writeHead(200, { 'content-type': 'audio/x-wav' }).end(bytes);
  };
  const cases: [string, () => void, string, number | undefined][] = [
    ['cut early', part(1000, (r) => r.destroy()), 'media_cut', undefined],
    ['cut after a part', part(6_200_000, (r) => r.destroy()), 'media_cut', undefined],
    ['stalled', part(6_200_000, () => undefined), 'media_stalled', undefined],
    ['empty', open(Buffer.alloc(0)), 'media_empty', undefined],
    ['a page', open(Buffer.from('<html>Please come back later</html>')), 'media_not_audio', undefined],
    ['ended cleanly but early', open(audio.subarray(0, 6_200_000)), 'media_short', undefined],
    ['too short for the call', () => server.serve(audio), 'media_short', 203],
    ['too long for the call', () => server.serve(audio), 'media_long', 190],
    ['without samples', open(audio.subarray(0, 30)), 'media_short', undefined],
    [
      'with samples beyond its end',
      () => server.serve(wav(2, 2, { data: 99_999 })),
      'media_short',
      undefined,
    ],
    [
      'shorter than its header says',
      () => server.serve(wav(2, 2, { riff: 99_999 })),
      'media_short',
      undefined,
    ],
    ['longer than its header says', () => server.serve(wav(2, 2, { riff: 99 })), 'media_long', undefined],
  ];
  test.each(cases)('%s', async (_what, prepare, code, durationSeconds) => {
    prepare();
    expect(await codeOf(copy(durationSeconds === undefined ? {} : { durationSeconds }))).toBe(code);
    expect(s3.objects.size + s3.uploads.size).toBe(0);
  });

  test('a duration that Twilio rounded, and sizes that a streaming writer left open, are no faults', async () => {
    server.serve(audio);
    await copy({ durationSeconds: 199 });
    await copy({ durationSeconds: 201 });
    server.serve(wav(2, 2, { riff: 0xffffffff, data: 0xffffffff }));
    await copy({ durationSeconds: 2 });
    server.serve(wav(2, 1, { riff: 0, data: 0 }));
    await copy({ durationSeconds: 2 });
    expect(await codeOf(copy({ durationSeconds: 4 }))).toBe('media_short');
  });
});

/** The beginning of a long recording, then the error. */
const breaking = (bytes: number, error: Error) =>
  Readable.from(
    (async function* () {
      yield* inChunks(long.subarray(0, bytes), 65_536);
      throw error;
    })(),
  );
const reason = new CustodyError('media_cut', 'cut');

describe('a body leaves nothing', () => {
  test.each([
    ['before its first byte', 0],
    ['within the first part', MiB],
    ['after several parts', 17 * MiB],
  ])('that breaks %s', async (_when, bytes) => {
    await expect(copyOf(breaking(bytes, reason))).rejects.toBe(reason);
    expect(left()).toEqual([]);
  });

  test('that was already broken, and brings nothing down', async () => {
    const body = new PassThrough();
    body.on('error', () => undefined);
    body.destroy(reason);
    await until(() => body.closed);
    await expect(copyOf(body)).rejects.toBe(reason);
    const silent = new PassThrough().destroy();
    await until(() => silent.closed);
    await expect(copyOf(silent)).rejects.toThrow();
    expect(left()).toEqual([]);
  });

  test.each([
    ['one buffer fills', 12 * MiB, 2],
    ['no buffer is free', 17 * MiB, 3],
  ])(
    'that breaks while parts hang on the wire and %s, and waits for none of them',
    async (_, bytes, parts) => {
      s3.fault = (request) => isPart(request);
      const body = new PassThrough();
      body.write(long.subarray(0, bytes));
      const work = copyOf(body);
      await until(() => s3.requests.filter((one) => isPart(one)).length === parts);
      body.destroy(reason);
      await expect(work).rejects.toBe(reason);
      expect(left()).toEqual([]);
    },
  );
});

describe('a store', () => {
  test('that refuses a part for good ends the copy at once, and nothing is left', async () => {
    s3.fault = (request, response) => {
      if (!isPart(request, 2)) return false;
      refuse(response, 403, 'AccessDenied');
      return true;
    };
    let pulled = 0;
    const body = Readable.from(
      (async function* () {
        for (const chunk of [...Array(960).keys()].map((at) =>
          at === 0 ? long.subarray(0, 65_536) : audio.subarray(0, 65_536),
        )) {
          pulled += chunk.length;
          yield chunk;
        }
      })(),
    );
    expect(await codeOf(copyOf(body))).toBe('store_denied');
    expect(left()).toEqual([]);
    expect(pulled).toBeLessThan(40 * MiB);
    expect(body.destroyed).toBe(true);
  });

  test('that is busy for a moment is asked again', async () => {
    let busy = 1;
    s3.fault = (request, response) => {
      if (!isPart(request, 2) || busy-- <= 0) return false;
      refuse(response, 503, 'SlowDown');
      return true;
    };
    const { object } = await copyOf(inChunks(long, 65_536));
    expect(object.bytes).toBe(s3.objects.get('k')?.length);
  });

  test('that refuses the completion is left with nothing', async () => {
    s3.fault = ({ method, query }, response) => {
      if (method !== 'POST' || !query.has('uploadId')) return false;
      refuse(response, 400, 'InvalidPart');
      return true;
    };
    expect(await codeOf(copyOf(inChunks(long, 65_536)))).toBe('store_unavailable');
    expect(left()).toEqual([]);
  });

  test('in which a part arrives after the upload was aborted is asked to abort it again', async () => {
    let aborted = 0;
    s3.fault = (request, response) => {
      if (request.method === 'DELETE') {
        aborted += 1;
        // The first loses against a part still on its way.
        if (aborted === 1) return !!response.writeHead(204).end();
      }
      if (!isPart(request, 1)) return false;
      refuse(response, 403, 'AccessDenied');
      return true;
    };
    expect(await codeOf(copyOf(inChunks(long, 65_536)))).toBe('store_denied');
    expect(left()).toEqual([]);
    expect(aborted).toBe(2);
  });
});

describe('aborted, a copy ends at once and leaves nothing', () => {
  const ending = new CustodyError('stopping', 'out of time');
  test.each([
    ['during the first part', MiB, (body: PassThrough) => body.readableLength === 0],
    ['while parts are on the wire', 12 * MiB, () => s3.requests.filter((one) => isPart(one)).length === 2],
  ])('%s', async (_when, bytes, isThere) => {
    const stop = new AbortController();
    s3.fault = (request) => isPart(request);
    const body = new PassThrough();
    body.write(long.subarray(0, bytes));
    const work = copyOf(body, { signal: stop.signal });
    await until(() => isThere(body));
    stop.abort(ending);
    await expect(work).rejects.toBe(ending);
    expect(left()).toEqual([]);
    expect(body.destroyed).toBe(true);
  });

  test('while its only request is on the wire', async () => {
    const stop = new AbortController();
    s3.fault = ({ method }) => method === 'PUT';
    const work = copyOf(inChunks(audio, 65_536), { signal: stop.signal, framesPerPart: 128 });
    await until(() => s3.requests.length === 1);
    stop.abort(ending);
    await expect(work).rejects.toBe(ending);
    expect(s3.requests).toHaveLength(1);
    expect(left()).toEqual([]);
  });
});
