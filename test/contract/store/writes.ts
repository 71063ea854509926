import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { CustodyError } from '@flex-custody/core';
import { all, bytesOf, codeOf, mebibyte, partBytes, type StoreSubject } from './store-subject.ts';

/** The bytes in chunks of 64 KiB, and then the error, where there is one. */
export function streamed(bytes: Buffer, error?: Error): Readable {
  return Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
      if (error) throw error;
    })(),
  );
}

/** What `put` leaves, and what it does not. */
export function writes(subject: StoreSubject): void {
  describe('put', () => {
    test.each([
      ['nothing', 0, 1],
      ['a few bytes', 1_000, 1],
      ['one part exactly', partBytes, 1],
      ['a byte more', partBytes + 1, 2],
      ['two parts exactly', 2 * partBytes, 2],
      ['several', 3 * partBytes + 7, 4],
    ])('%s', async (name, length, parts) => {
      const bytes = randomBytes(length);
      const progress: number[] = [];
      const onProgress = (done: number) => progress.push(done);
      const put = await subject.store.put(`p/${name}`, streamed(bytes), { onProgress });
      expect(put.bytes).toBe(length);
      expect(put.etag).toMatch(parts === 1 ? /^"[0-9a-f]{32}"$/ : new RegExp(`^"[0-9a-f]{32}-${parts}"$`));
      expect(put.versionId === undefined).toBe(!subject.versioned);
      expect(progress).toHaveLength(parts);
      expect(progress.at(-1)).toBe(length);
      // What is noted of the object is what it is read by, by everybody and for years.
      const read = await subject.store.get(`p/${name}`, {
        ifMatch: put.etag,
        ...(put.versionId !== undefined && { versionId: put.versionId }),
      });
      expect((await bytesOf(read.body)).equals(bytes)).toBe(true);
      expect(await subject.store.head(`p/${name}`)).toMatchObject(put);
    });

    const reason = new CustodyError('media_cut', 'cut', { retryable: true });
    test.each([
      ['at once', 0],
      ['within the first part', mebibyte],
      ['after several', 3 * partBytes],
    ])('a body that fails %s leaves neither object nor part', async (when, length) => {
      const key = `f/${when}`;
      await expect(subject.store.put(key, streamed(randomBytes(length), reason))).rejects.toBe(reason);
      expect(await subject.store.head(key)).toBeUndefined();
      expect(await all(subject.store.unfinishedUploads(key))).toEqual([]);
    });

    test('told to stop, it stops and leaves nothing', async () => {
      const stop = new AbortController();
      const onProgress = () => stop.abort(reason);
      const work = subject.store.put('f/stopped', streamed(randomBytes(3 * partBytes)), {
        signal: stop.signal,
        onProgress,
      });
      await expect(work).rejects.toBe(reason);
      expect(await subject.store.head('f/stopped')).toBeUndefined();
      expect(await all(subject.store.unfinishedUploads('f/stopped'))).toEqual([]);
    });

    test('a second object under the key: a version beside the first, or in its place', async () => {
      const first = await subject.store.put('p/twice', streamed(Buffer.from('first')));
      const second = await subject.store.put('p/twice', streamed(Buffer.from('second')));
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
