import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  PutBucketVersioningCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
} from '@aws-sdk/client-s3';
import { createStore, type Store } from '@flex-custody/vault';
import { all, codeOf, type StoreSubject } from './store-subject.ts';

/** Object Lock: what a store says of it, and that it holds against a deletion by version. */
export function locks(subject: StoreSubject): void {
  test('a bucket without Object Lock locks nothing, and says whether it keeps versions', async () => {
    const Bucket = `bare-${randomUUID()}`;
    await subject.s3.send(new CreateBucketCommand({ Bucket }));
    const store = createStore({
      ...subject.access,
      bucket: Bucket,
      region: 'us-east-1',
      pathStyle: true,
      mode: 'envelope',
    });
    await store.putBytes('a', Buffer.from('x'));
    expect([await store.lockOf('a'), await store.keepsVersions()]).toEqual([undefined, false]);
    for (const [Status, kept] of [
      ['Enabled', true],
      ['Suspended', false],
    ] as const) {
      await subject.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
      expect(await store.keepsVersions()).toBe(kept);
    }
    for (const { key, versionId } of await all(store.versions(''))) await store.delete(key, versionId);
    store.close();
    if (!subject.isOwn) await subject.s3.send(new DeleteBucketCommand({ Bucket }));
  });

  describe('a version that is locked', () => {
    const Bucket = `locks-${randomUUID()}`;
    let store: Store;
    beforeAll(async () => {
      await subject.s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
      store = createStore({
        ...subject.access,
        bucket: Bucket,
        region: 'us-east-1',
        pathStyle: true,
        mode: 'envelope',
      });
    });
    afterAll(async () => {
      for (const { key, versionId } of await all(store.versions(''))) await store.delete(key, versionId);
      store.close();
      // Others use that engine after us.
      if (!subject.isOwn) await subject.s3.send(new DeleteBucketCommand({ Bucket }));
    });

    test('says until when, and is not deleted before', async () => {
      const { versionId: VersionId } = await store.putBytes('l/1', Buffer.from('kept'));
      expect((await store.head('l/1', VersionId))?.lock).toBeUndefined();
      expect(await store.lockOf('l/1', VersionId)).toBeUndefined();
      const until = new Date(Date.now() + 4_000);
      until.setMilliseconds(0);
      await subject.s3.send(
        new PutObjectRetentionCommand({
          Bucket,
          Key: 'l/1',
          VersionId,
          Retention: { Mode: 'COMPLIANCE', RetainUntilDate: until },
        }),
      );
      expect((await store.head('l/1', VersionId))?.lock).toEqual({ until, legalHold: false });
      expect(await store.lockOf('l/1', VersionId)).toEqual({ until, legalHold: false });
      expect(await codeOf(store.delete('l/1', VersionId))).toBe('store_denied');
      expect(await store.head('l/1', VersionId)).toBeDefined();
      await new Promise((resolve) => setTimeout(resolve, until.getTime() + 1_500 - Date.now()));
      await store.delete('l/1', VersionId);
      expect(await store.head('l/1', VersionId)).toBeUndefined();
    });

    test('by a legal hold, is deleted once that is taken off', async () => {
      const { versionId: VersionId } = await store.putBytes('l/2', Buffer.from('held'));
      const hold = (Status: 'ON' | 'OFF') =>
        subject.s3.send(
          new PutObjectLegalHoldCommand({ Bucket, Key: 'l/2', VersionId, LegalHold: { Status } }),
        );
      await hold('ON');
      expect((await store.head('l/2', VersionId))?.lock).toEqual({ legalHold: true });
      expect(await store.lockOf('l/2', VersionId)).toEqual({ legalHold: true });
      expect(await codeOf(store.delete('l/2', VersionId))).toBe('store_denied');
      await hold('OFF');
      expect((await store.head('l/2', VersionId))?.lock).toBeUndefined();
      expect(await store.lockOf('l/2', VersionId)).toBeUndefined();
      await store.delete('l/2', VersionId);
      expect(await all(store.versions('l/2'))).toEqual([]);
      expect([await store.lockOf('l/2', VersionId), await store.keepsVersions()]).toEqual([undefined, true]);
    });
  });
}
