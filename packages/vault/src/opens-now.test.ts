import { Readable } from 'node:stream';
import type { SealedObject } from '@flex-custody/core';
import { aesKeys, codeOf, context, sealSmall } from '../test/support.ts';
import { opensNow } from './opens-now.ts';
import type { GetOptions, Store } from './store/types.ts';

const keys = aesKeys('k1');
const audio = Buffer.alloc(200_000, 3);

/** A bucket with these bytes, and what was asked of it. */
function bucketOf(bytes: Buffer) {
  const asked: GetOptions[] = [];
  const get = async (_key: string, options: GetOptions = {}) => {
    asked.push(options);
    const { start = 0, end = bytes.length - 1 } = options;
    const part = bytes.subarray(start, end + 1);
    return { etag: '"e"', bytes: part.length, totalBytes: bytes.length, body: Readable.from([part]) };
  };
  return { asked, store: { get } as unknown as Store };
}
const objectOf = (bytes: Buffer, change: Partial<SealedObject> = {}): SealedObject => ({
  key: 'k',
  mode: 'envelope',
  etag: '"e"',
  versionId: 'v1',
  bytes: bytes.length,
  plaintextBytes: audio.length,
  keyId: 'k1',
  ...change,
});

test('opens header and last frame of the very version, and reads little of what lies between', async () => {
  const sealed = await sealSmall(keys, audio, 4_096);
  const { asked, store } = bucketOf(sealed);
  await opensNow(objectOf(sealed), keys, store, context);
  expect(asked).toHaveLength(2);
  for (const one of asked) expect(one).toMatchObject({ ifMatch: '"e"', versionId: 'v1' });
});

test.each<[string, string, (sealed: Buffer) => Parameters<typeof opensNow>[1], number | undefined]>([
  ['by another key', 'envelope_wrong_key', () => aesKeys('k2'), undefined],
  ['without a key', 'key_missing', () => undefined, undefined],
  ['with an altered header', 'envelope_tampered', () => keys, 60],
  ['with an altered end', 'envelope_tampered', () => keys, -1],
])('does not open %s', async (_how, code, by, altered) => {
  const sealed = Buffer.from(await sealSmall(keys, audio, 4_096));
  if (altered !== undefined) {
    const at = altered < 0 ? sealed.length + altered : altered;
    sealed[at] = (sealed[at] ?? 0) ^ 1;
  }
  const opened = opensNow(objectOf(sealed), by(sealed), bucketOf(sealed).store, context);
  expect(await codeOf(opened)).toMatch(code === 'envelope_tampered' ? /^envelope_/ : code);
});

test('another length than the catalog has is another recording', async () => {
  const sealed = await sealSmall(keys, audio, 4_096);
  const opened = opensNow(objectOf(sealed, { plaintextBytes: 1 }), keys, bucketOf(sealed).store, context);
  expect(await codeOf(opened)).toBe('object_mismatch');
});

test('where S3 seals, its first bytes are read', async () => {
  const wav = Buffer.concat([Buffer.from('RIFF0000WAVEfmt '), audio]);
  const open = (bytes: Buffer) =>
    opensNow(objectOf(bytes, { mode: 'sse-kms' }), undefined, bucketOf(bytes).store, context);
  await open(wav);
  expect(await codeOf(open(audio))).toBe('object_mismatch');
});
