import { randomBytes } from 'node:crypto';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import type { SealedObject } from '@flex-custody/core';
import { createKeys, openStream, renewObject, sealBytes } from '@flex-custody/vault';
import { all, bytesOf, codeOf, mebibyte, partBytes, type StoreSubject, stored } from './store-subject.ts';

const key = (fill: number) => new Uint8Array(32).fill(fill);
const old = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'old', key: key(1) }] });
const newest = createKeys({ kind: 'raw-aes', keys: [{ keyId: 'new', key: key(2) }] });
const both = createKeys({
  kind: 'raw-aes',
  keys: [
    { keyId: 'new', key: key(2) },
    { keyId: 'old', key: key(1) },
  ],
});
const context = { account: `AC${'a'.repeat(32)}`, recording: `RE${'b'.repeat(32)}` };

/** Parts that are copied inside the store, and messages whose key is renewed by them. */
export function renews(subject: StoreSubject): void {
  describe('a part copied inside the store', () => {
    const whole = randomBytes(partBytes + 2 * mebibyte);
    const source = async () => {
      const { etag, versionId } = await stored(subject.store, 'c/source', whole);
      return { key: 'c/source', etag, ...(versionId !== undefined && { versionId }) };
    };

    test('is those bytes of that version, behind one that was sent', async () => {
      const { store } = subject;
      const from = await source();
      // What is newer is another version, where there are any.
      if (subject.versioned) await store.putBytes('c/source', Buffer.from('newer'));
      const id = await store.beginUpload('c/1');
      const head = randomBytes(partBytes);
      const first = await store.sendPart('c/1', id, 1, head);
      const second = await store.copyPart('c/1', id, 2, { ...from, start: 1_000, end: partBytes + 999 });
      const third = await store.copyPart('c/1', id, 3, {
        ...from,
        start: partBytes + 1_000,
        end: whole.length - 1,
      });
      const bytes = head.length + whole.length - 1_000;
      const stored = await store.completeUpload('c/1', id, [first, second, third], bytes);
      const { body } = await store.get('c/1', { ifMatch: stored.etag });
      expect((await bytesOf(body)).equals(Buffer.concat([head, whole.subarray(1_000)]))).toBe(true);
    });

    test('of what has changed, or is not there, is refused', async () => {
      const { store } = subject;
      const from = await source();
      const id = await store.beginUpload('c/2');
      const range = { start: 0, end: 999 };
      const copy = (change: object) => codeOf(store.copyPart('c/2', id, 1, { ...from, ...range, ...change }));
      // radosgw does not look at the ETag: there the version alone pins the source.
      const looks = subject.isOwn ? 'object_changed' : 'accepted';
      expect(await copy({ etag: '"0123456789abcdef0123456789abcdef"' })).toBe(looks);
      expect(await copy({ key: 'c/nobody', versionId: undefined })).toMatch(/^(object_missing|upload_gone)$/);
      await store.abortUpload('c/2', id);
      expect(await copy({})).toMatch(/^(upload_gone|store_unavailable)$/);
    });
  });

  describe.each([
    ['small, and put anew', 200_000],
    ['large, its body copied where it lies', 9 * mebibyte],
    ['of just one byte more than is put anew', 8 * mebibyte + 1],
  ])('a message %s', (_how, size) => {
    const audio = randomBytes(size);
    const seal = async (name: string): Promise<SealedObject> => {
      const { store } = subject;
      const bytes = await sealBytes(old, context, audio);
      const { etag, versionId } = await stored(store, name, bytes);
      return {
        key: name,
        mode: 'envelope',
        etag,
        ...(versionId !== undefined && { versionId }),
        bytes: bytes.length,
        plaintextBytes: audio.length,
        keyId: 'old',
      };
    };
    const opened = async (object: SealedObject, keys = newest) => {
      const { body } = await subject.store.get(object.key, {
        ifMatch: object.etag,
        ...(object.versionId !== undefined && { versionId: object.versionId }),
      });
      return (await bytesOf(body.pipe(openStream(keys, context)))).equals(audio);
    };

    test('is of the class that is configured for recordings', async () => {
      if (!subject.isOwn) return;
      const object = await seal(`s/${size}`);
      const store = subject.open({ storageClass: 'STANDARD_IA' });
      await renewObject({ object, context, keys: both, store });
      store.close();
      const of = new HeadObjectCommand({ ...subject.bucket, Key: object.key });
      expect((await subject.s3.send(of)).StorageClass).toBe('STANDARD_IA');
    });

    test('opens by the new key alone', async () => {
      const { store } = subject;
      const object = await seal(`n/${size}`);
      const renewed = await renewObject({ object, context, keys: both, store });
      expect(renewed).toMatchObject({ key: object.key, keyId: 'new', plaintextBytes: size });
      expect(renewed.bytes).toBe((await store.head(object.key))?.bytes);
      expect(await opened(renewed)).toBe(true);
      if (subject.versioned) {
        // The old one stays for whoever notes the new one.
        expect(await opened(object, old)).toBe(true);
        expect(renewed.versionId).not.toBe(object.versionId);
      }
      expect(await all(store.unfinishedUploads('n/'))).toEqual([]);
    });

    test('that changed meanwhile, or that our keys do not open, stays as it is', async () => {
      const { store } = subject;
      const object = await seal(`m/${size}`);
      const changed = { ...object, etag: '"0123456789abcdef0123456789abcdef"' };
      expect(await codeOf(renewObject({ object: changed, context, keys: both, store }))).toBe(
        'object_changed',
      );
      expect(await codeOf(renewObject({ object, context, keys: newest, store }))).toBe('envelope_wrong_key');
      const other = { ...context, recording: `RE${'c'.repeat(32)}` };
      expect(await codeOf(renewObject({ object, context: other, keys: both, store }))).toBe(
        'envelope_wrong_recording',
      );
      expect(await opened(object, old)).toBe(true);
      expect(await all(store.versions(object.key))).toHaveLength(1);
      expect(await all(store.unfinishedUploads('m/'))).toEqual([]);
    });
  });
}
