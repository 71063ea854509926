import { randomBytes } from 'node:crypto';
import { HeadObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { storageClasses } from '@flex-custody/core';
import type { NewObject, Store, StoreConfig } from '@flex-custody/vault';
import { all, partBytes, type StoreSubject } from './store-subject.ts';

/** What the store says of a new object, by whichever request it was written. */
export function newObjects(subject: StoreSubject): void {
  type Write = (store: Store, isRecording: boolean) => Promise<string>;
  const written = async (key: string, store: Store, isRecording: boolean) => {
    await store.putBytes(key, Buffer.from('x'), { isRecording });
    return key;
  };
  const inParts: Write = async (store) => {
    const key = 'o/parts';
    const id = await store.beginUpload(key);
    const parts = [
      await store.sendPart(key, id, 1, randomBytes(partBytes)),
      await store.sendPart(key, id, 2, Buffer.from('x')),
    ];
    await store.completeUpload(key, id, parts, partBytes + 1);
    return key;
  };
  // In mode envelope the direct writer takes plain keys, and leaves the others to the SDK.
  const whole: [string, Write][] = [
    ['in one request', (store, isRecording) => written('o/whole', store, isRecording)],
    ['in one request of the SDK', (store, isRecording) => written('o/ä whole', store, isRecording)],
  ];
  const writers: [string, Write][] = [...whole, ['in parts', inParts]];

  type Seen = Record<keyof NewObject, string | undefined>;
  const seen = async (config: Partial<StoreConfig>, write: Write, isRecording = true): Promise<Seen> => {
    const store = subject.open(config);
    try {
      const key = await write(store, isRecording);
      const found = await subject.s3.send(new HeadObjectCommand({ ...subject.bucket, Key: key }));
      const { ServerSideEncryption, SSEKMSKeyId, ContentType, StorageClass = 'STANDARD' } = found;
      return { ServerSideEncryption, SSEKMSKeyId, ContentType, StorageClass };
    } finally {
      store.close();
    }
  };
  const sealing = { mode: 'sse-kms', kmsKeyId: 'ours' } as const;
  /** The setting that asks for each of them, and what the store then says of it. */
  const asked: Readonly<Record<keyof NewObject, [config: Partial<StoreConfig>, said: string]>> = {
    ContentType: [sealing, 'audio/wav'],
    ServerSideEncryption: [sealing, 'aws:kms'],
    SSEKMSKeyId: [sealing, 'ours'],
    StorageClass: [{ storageClass: 'GLACIER_IR' }, 'GLACIER_IR'],
  };
  const plain = { ServerSideEncryption: undefined, SSEKMSKeyId: undefined, StorageClass: 'STANDARD' };

  describe.each(writers)('a recording, written %s,', (_how, write) => {
    test('is what the store makes of it, where nothing is configured', async () => {
      const found = await seen({}, write);
      expect(found).toMatchObject(plain);
      expect(found.ContentType).not.toBe('audio/wav');
    });

    test.each(Object.entries(asked))('has the %s that a setting asks for', async (name, [config, said]) => {
      // radosgw knows one class, and seals only with a KMS beside it.
      if (subject.isOwn) expect(await seen(config, write)).toHaveProperty(name, said);
    });

    test('is of the configured class', async () => {
      // radosgw has one class, unless its zone is given others.
      for (const storageClass of subject.isOwn ? storageClasses : (['STANDARD'] as const))
        expect(await seen({ storageClass }, write)).toMatchObject({ ...plain, StorageClass: storageClass });
    });

    test('is audio, sealed by the KMS key and of the configured class where S3 seals', async () => {
      // radosgw seals only with a KMS beside it.
      if (!subject.isOwn) return;
      const sealed = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'ours', ContentType: 'audio/wav' };
      expect(await seen(sealing, write)).toEqual({ ...sealed, StorageClass: 'STANDARD' });
      const StorageClass = 'GLACIER_IR';
      expect(await seen({ ...sealing, storageClass: StorageClass }, write)).toEqual({
        ...sealed,
        StorageClass,
      });
      const byDefault = await seen({ mode: 'sse-kms' }, write);
      expect(byDefault).toMatchObject({ ...sealed, SSEKMSKeyId: expect.not.stringMatching(/^ours$/) });
    });
  });

  test.each(whole)('any other object, written %s, is of the usual class', async (_how, write) => {
    expect(await seen({ storageClass: 'GLACIER_IR' }, write, false)).toMatchObject(plain);
  });

  test('lists say the class of what is written and of what is begun', async () => {
    if (!subject.isOwn) return;
    const { s3, bucket } = subject;
    const store = subject.open({ storageClass: 'ONEZONE_IA' });
    await store.putBytes('oo/1', Buffer.from('x'), { isRecording: true });
    const id = await store.beginUpload('oo/2');
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ ...bucket, Prefix: 'oo/' }));
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ ...bucket, Prefix: 'oo/' }));
    expect([...Contents, ...Uploads].map(({ StorageClass }) => StorageClass)).toEqual([
      'ONEZONE_IA',
      'ONEZONE_IA',
    ]);
    await store.abortUpload('oo/2', id);
    expect(await all(store.unfinishedUploads('oo/'))).toEqual([]);
    store.close();
  });
}
