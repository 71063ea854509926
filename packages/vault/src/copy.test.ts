import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { SealedObject } from '@flex-custody/core';
import { FakeS3 } from '../test/fake-s3.ts';
import { credentials, MediaServer, source } from '../test/media-server.ts';
import { aesKeys, codeOf, context, rsaPair, wav } from '../test/support.ts';
import { copyRecording } from './copy.ts';
import { createKeys } from './keys/keys.ts';
import { openMedia } from './source/open-media.ts';
import { createStore } from './store/s3-store.ts';
import type { Store } from './store/types.ts';
import { verifyObject } from './verify.ts';

const s3 = new FakeS3();
const server = new MediaServer();
const { privateKeyPem, spki } = rsaPair();
const writer = createKeys({ kind: 'rsa-public', keyId: 'r1', spki });
const reader = createKeys({ kind: 'rsa', keys: [{ keyId: 'r1', privateKeyPem }] });
const audio = wav(200);
let store: Store;
let plain: Store;

beforeAll(async () => {
  const config = await s3.start();
  store = createStore({ ...config, partBytes: 5 * 1024 * 1024 });
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

async function copy(
  changes: { durationSeconds?: number; to?: Store; signal?: AbortSignal } = {},
): Promise<SealedObject> {
  const of = {
    ...source,
    ...(changes.durationSeconds !== undefined && { durationSeconds: changes.durationSeconds }),
  };
  return copyRecording({
    source: of,
    media: await openMedia(of, credentials, { stallMs: 200 }),
    keys: writer,
    store: changes.to ?? store,
    objectKey: 'k',
    ...(changes.signal && { signal: changes.signal }),
  });
}

describe('a copy', () => {
  test('is sealed by a key that cannot open it, and proven by the one that can', async () => {
    server.serve(audio);
    const object = await copy({ durationSeconds: 200 });
    expect(object).toEqual({
      key: 'k',
      mode: 'envelope',
      etag: expect.stringMatching(/^"/),
      bytes: s3.objects.get('k')?.length,
      plaintextBytes: audio.length,
      plaintextSha256: createHash('sha256').update(audio).digest('hex'),
      keyId: 'r1',
    });
    expect(s3.objects.get('k')?.includes(audio.subarray(1000, 1100))).toBe(false);
    const seen: Uint8Array[] = [];
    await verifyObject({ object, source, keys: reader, store, onPlaintext: (chunk) => seen.push(chunk) });
    expect(Buffer.concat(seen).equals(audio)).toBe(true);
  });

  test('tells how far it is', async () => {
    server.serve(audio);
    const seen: [number, number | undefined][] = [];
    const media = await openMedia(source, credentials);
    await copyRecording({
      source,
      media,
      keys: writer,
      store,
      objectKey: 'k',
      onProgress: (...at) => seen.push(at),
    });
    expect(seen.at(-1)).toEqual([audio.length, audio.length]);
  });

  test('in sse-kms mode S3 seals it', async () => {
    server.serve(audio);
    const object = await copy({ to: plain });
    expect(object).toMatchObject({ mode: 'sse-kms', keyId: 'default-key', bytes: audio.length });
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
    server.serve(audio);
    const media = await openMedia(source, credentials);
    expect(await codeOf(copyRecording({ source, media, keys: undefined, store, objectKey: 'k' }))).toBe(
      'key_invalid',
    );
    expect(s3.objects.size).toBe(0);
  });
});

describe('a source that is not the whole recording leaves no object and no parts', () => {
  const part = (bytes: number, then: (response: import('node:http').ServerResponse) => void) => () => {
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

  test('a lease that is lost stops it', async () => {
    part(6_200_000, () => undefined)();
    const stop = new AbortController();
    const reason = new Error('lease lost');
    setTimeout(() => stop.abort(reason), 60);
    await expect(copy({ signal: stop.signal })).rejects.toBe(reason);
    expect(s3.objects.size + s3.uploads.size).toBe(0);
  });
});

describe('verification refuses', () => {
  let object: SealedObject;
  beforeEach(async () => {
    server.serve(wav(5));
    object = await copy();
  });
  const verify = (changes: Partial<SealedObject> = {}, keys = reader, of = source) =>
    codeOf(verifyObject({ object: { ...object, ...changes }, source: of, keys, store }));
  const restore = async (bytes: Buffer) => {
    const { etag } = await store.put('k', Readable.from([bytes]));
    return { etag, bytes: bytes.length };
  };

  test('an object that is gone, or another version', async () => {
    expect(await verify({ etag: '"other"' })).toBe('object_changed');
    s3.objects.clear();
    expect(await verify()).toBe('object_missing');
  });

  test('another length, another digest, another size', async () => {
    expect(await verify({ plaintextBytes: object.plaintextBytes + 1 })).toBe('object_mismatch');
    expect(await verify({ plaintextSha256: '0'.repeat(64) })).toBe('object_mismatch');
    expect(await verify({ bytes: object.bytes + 1 })).toBe('object_mismatch');
  });

  test('altered, truncated, and another recording’s bytes, and another key', async () => {
    const good = s3.objects.get('k')!;
    const altered = Buffer.from(good);
    altered[good.length - 100]! ^= 4;
    expect(await verify(await restore(altered))).toBe('envelope_tampered');
    expect(await verify(await restore(good.subarray(0, -50)))).toBe('envelope_truncated');
    expect(await verify(await restore(Buffer.concat([good, randomBytes(5)])))).toBe(
      'envelope_trailing_bytes',
    );
    const back = await restore(good);
    const other = { ...source, recordingSid: `RE${'d'.repeat(32)}` as typeof source.recordingSid };
    expect(await verify(back, reader, other)).toBe('envelope_wrong_recording');
    expect(await verify(back, aesKeys('r1'))).toBe('envelope_wrong_key');
    expect(context.recording).toBe(source.recordingSid);
  });
});
