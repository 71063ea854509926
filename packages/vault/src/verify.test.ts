import { randomBytes } from 'node:crypto';
import type { SealedObject } from '@flex-custody/core';
import { FakeS3 } from '../test/fake-s3.ts';
import { mediaOf, source } from '../test/media-server.ts';
import { aesKeys, codeOf, context, inChunks, wav } from '../test/support.ts';
import { copyResumably } from './resumable/resumable-copy.ts';
import { createStore } from './store/s3-store.ts';
import type { Store } from './store/types.ts';
import { verifyObject } from './verify.ts';

const s3 = new FakeS3();
const reader = aesKeys('r1');
let store: Store;

beforeAll(async () => {
  store = createStore(await s3.start());
});
afterAll(() => {
  store.close();
  s3.stop();
});

describe('verification refuses', () => {
  let object: SealedObject;
  beforeEach(async () => {
    const open = async () => mediaOf(inChunks(wav(5), 65_536));
    ({ object } = await copyResumably({ source, open, keys: reader, store, objectKey: 'k' }));
  });
  const verify = (changes: Partial<SealedObject> = {}, keys = reader, of = source) =>
    codeOf(verifyObject({ object: { ...object, ...changes }, source: of, keys, store }));
  const restore = async (bytes: Buffer) => {
    const { etag } = await store.putBytes('k', bytes);
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
