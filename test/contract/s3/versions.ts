import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3';
import { refusal, type Subject } from './subject.ts';

/** Versions, and lists of what is current. */
export function versions(subject: Subject): void {
  const { bucket: Bucket, put, get, send } = subject;

  describe('versions', () => {
    test('versioning is told', async () => {
      expect(await send(new GetBucketVersioningCommand({ Bucket }))).toMatchObject({ Status: 'Enabled' });
    });

    test('an overwritten object is still there by its version', async () => {
      const first = await put('v/twice', 'first');
      const second = await put('v/twice', 'second');
      expect(first.VersionId).not.toBe(second.VersionId);
      expect((await get({ Key: 'v/twice' })).body.toString()).toBe('second');
      const old = await get({ Key: 'v/twice', VersionId: first.VersionId });
      expect([old.body.toString(), old.VersionId]).toEqual(['first', first.VersionId]);
      const head = new HeadObjectCommand({ Bucket, Key: 'v/twice', VersionId: first.VersionId });
      expect(await send(head)).toMatchObject({ ETag: first.ETag, ContentLength: 5 });
    });

    test('a delete without a version hides; with one it removes', async () => {
      const stored = await put('v/gone', 'x');
      const marker = await send(new DeleteObjectCommand({ Bucket, Key: 'v/gone' }));
      expect(marker.DeleteMarker).toBe(true);
      expect(await refusal(get({ Key: 'v/gone' }))).toMatchObject({ status: 404 });
      expect((await get({ Key: 'v/gone', VersionId: stored.VersionId })).body.toString()).toBe('x');
      await send(new DeleteObjectCommand({ Bucket, Key: 'v/gone', VersionId: stored.VersionId }));
      const read = get({ Key: 'v/gone', VersionId: stored.VersionId });
      expect(await refusal(read)).toMatchObject({ status: 404 });
      await send(new DeleteObjectCommand({ Bucket, Key: 'v/gone', VersionId: marker.VersionId }));
      await send(new DeleteObjectCommand({ Bucket, Key: 'v/gone', VersionId: marker.VersionId }));
    });
  });

  describe('lists', () => {
    test('come by prefix, in order, page by page, without what was deleted', async () => {
      const keys = ['l/1', 'l/2', 'l/3/x', 'l/3/y', 'l/4 ü'];
      for (const key of keys) await put(key, key);
      await put('l/deleted', 'x');
      await send(new DeleteObjectCommand({ Bucket, Key: 'l/deleted' }));
      const seen: string[] = [];
      let ContinuationToken: string | undefined;
      let pages = 0;
      do {
        const page: ListObjectsV2CommandOutput = await send(
          new ListObjectsV2Command({ Bucket, Prefix: 'l/', MaxKeys: 2, ContinuationToken }),
        );
        seen.push(...(page.Contents ?? []).map((one) => one.Key ?? ''));
        ContinuationToken = page.NextContinuationToken;
        pages += 1;
      } while (ContinuationToken !== undefined);
      expect([seen, pages]).toEqual([keys, 3]);
    });

    test('group by a delimiter', async () => {
      for (const key of ['g/a/1', 'g/a/2', 'g/b/1', 'g/top']) await put(key, 'x');
      const page = await send(new ListObjectsV2Command({ Bucket, Prefix: 'g/', Delimiter: '/' }));
      expect(page.CommonPrefixes?.map((one) => one.Prefix)).toEqual(['g/a/', 'g/b/']);
      expect(page.Contents?.map((one) => one.Key)).toEqual(['g/top']);
    });
  });
}
