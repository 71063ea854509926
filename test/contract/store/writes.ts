import { randomBytes } from 'node:crypto';
import { CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { all, bytesOf, codeOf, partBytes, type StoreSubject, stored } from './store-subject.ts';

/** What is written is read, and what is begun is found. */
export function writes(subject: StoreSubject): void {
  describe('an object', () => {
    test.each([
      ['of nothing', 0, 1],
      ['of a few bytes', 1_000, 1],
      ['of one part exactly', partBytes, 1],
      ['of a byte more', partBytes + 1, 2],
      ['of two parts exactly', 2 * partBytes, 2],
      ['of several', 3 * partBytes + 7, 4],
    ])('%s', async (name, length, parts) => {
      const bytes = randomBytes(length);
      const put = await stored(subject.store, `p/${name}`, bytes);
      expect(put.bytes).toBe(length);
      expect(put.etag).toMatch(parts === 1 ? /^"[0-9a-f]{32}"$/ : new RegExp(`^"[0-9a-f]{32}-${parts}"$`));
      expect(put.versionId === undefined).toBe(!subject.versioned);
      // What is noted of the object is what it is read by, by everybody and for years.
      const read = await subject.store.get(`p/${name}`, {
        ifMatch: put.etag,
        ...(put.versionId !== undefined && { versionId: put.versionId }),
      });
      expect((await bytesOf(read.body)).equals(bytes)).toBe(true);
      expect(await subject.store.head(`p/${name}`)).toMatchObject(put);
    });

    test('under the key of another: a version beside the first, or in its place', async () => {
      const first = await subject.store.putBytes('p/twice', Buffer.from('first'));
      const second = await subject.store.putBytes('p/twice', Buffer.from('second'));
      expect(await subject.store.head('p/twice')).toMatchObject(second);
      expect(await codeOf(subject.store.get('p/twice', { ifMatch: first.etag }))).toBe('object_changed');
      if (first.versionId === undefined) return;
      const kept = await subject.store.get('p/twice', { versionId: first.versionId, ifMatch: first.etag });
      expect((await bytesOf(kept.body)).toString()).toBe('first');
    });
  });

  test('unfinished uploads are found by prefix, and aborted, also twice', async () => {
    for (const Key of ['u/left', 'other/left']) {
      const { UploadId } = await subject.s3.send(
        new CreateMultipartUploadCommand({ ...subject.bucket, Key }),
      );
      const part = { ...subject.bucket, Key, UploadId, PartNumber: 1, Body: Buffer.from('x') };
      await subject.s3.send(new UploadPartCommand(part));
    }
    const [found, ...more] = await all(subject.store.unfinishedUploads('u/'));
    expect([found?.key, more]).toEqual(['u/left', []]);
    expect(Math.abs((found?.startedAt.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
    await subject.store.abortUpload('u/left', found!.uploadId);
    await subject.store.abortUpload('u/left', found!.uploadId);
    expect(await all(subject.store.unfinishedUploads('u/'))).toEqual([]);
    for (const { key, uploadId } of await all(subject.store.unfinishedUploads(''))) {
      await subject.store.abortUpload(key, uploadId);
    }
  });

  test('the check passes and leaves nothing', async () => {
    await subject.store.check();
    expect(await all(subject.store.list('recordings/'))).toEqual([]);
    expect(await all(subject.store.unfinishedUploads('recordings/'))).toEqual([]);
  });
}
