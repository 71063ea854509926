import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { refusal, type Subject } from './subject.ts';

const mebibyte = 1024 * 1024;
const partBytes = 5 * mebibyte;

/** Uploads in parts: by lib-storage, taken up again, completed, aborted. */
export function multipart(subject: Subject): void {
  const { bucket: Bucket, put, get, begin, part, send, ways } = subject;

  describe('multipart uploads', () => {
    test('lib-storage streams an object of unknown length, and any range of it can be read', async () => {
      const body = randomBytes(12 * mebibyte + 7);
      const pieces = function* () {
        for (let at = 0; at < body.length; at += 100_000) yield body.subarray(at, at + 100_000);
      };
      const upload = new Upload({
        client: subject.s3,
        params: { Bucket, Key: 'm/stream', Body: Readable.from(pieces()) },
        partSize: partBytes,
        queueSize: 2,
      });
      const stored = await upload.done();
      const whole = await get({ Key: 'm/stream' });
      expect(whole.ETag).toMatch(/^"[0-9a-f]{32}-3"$/);
      expect(stored.ETag).toBe(ways.completionGivesETag ? whole.ETag : '');
      expect(stored.VersionId).toBe(whole.VersionId);
      expect(whole.body.equals(body)).toBe(true);
      const across = await get({ Key: 'm/stream', Range: `bytes=${partBytes - 10}-${partBytes + 9}` });
      expect(across.body.equals(body.subarray(partBytes - 10, partBytes + 10))).toBe(true);
    });

    test('can be taken up again: parts are listed, one is replaced, and the rest completes it', async () => {
      const Key = 'm/resumed';
      const UploadId = await begin(Key);
      const [one, two] = [randomBytes(partBytes), randomBytes(100)];
      await part(Key, UploadId, 1, randomBytes(partBytes));
      const first = await part(Key, UploadId, 1, one);
      const listed = await send(new ListPartsCommand({ Bucket, Key, UploadId }));
      expect(listed.Parts).toMatchObject([{ PartNumber: 1, ETag: first.ETag, Size: partBytes }]);
      const second = await part(Key, UploadId, 2, two);
      expect(await refusal(get({ Key }))).toMatchObject({ status: 404 });
      const Parts = [
        { PartNumber: 1, ETag: first.ETag },
        { PartNumber: 2, ETag: second.ETag },
      ];
      await send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
      const read = await get({ Key });
      expect(read.body.equals(Buffer.concat([one, two]))).toBe(true);
    });

    test('a part with another ETag, and parts out of order, do not complete', async () => {
      const Key = 'm/wrong';
      const UploadId = await begin(Key);
      const first = await part(Key, UploadId, 1, randomBytes(partBytes));
      const second = await part(Key, UploadId, 2, randomBytes(10));
      const complete = (Parts: { PartNumber: number; ETag: string | undefined }[]) =>
        refusal(
          send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } })),
        );
      const wrong = { PartNumber: 1, ETag: '"00000000000000000000000000000000"' };
      expect(await complete([wrong])).toMatchObject({ name: 'InvalidPart', status: 400 });
      const reversed = [
        { PartNumber: 2, ETag: second.ETag },
        { PartNumber: 1, ETag: first.ETag },
      ];
      expect(await complete(reversed)).toMatchObject({ status: ways.partsOutOfOrder });
      const abort = send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
      expect((await refusal(abort)).status).toBe(ways.partsOutOfOrder === 200 ? 404 : 200);
    });

    test('are listed while unfinished, and an aborted one is gone with its parts', async () => {
      const Key = 'm/aborted';
      const UploadId = await begin(Key);
      await part(Key, UploadId, 1, randomBytes(10));
      const unfinished = async () =>
        (await send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'm/' }))).Uploads ?? [];
      const [found] = await unfinished();
      expect(found).toMatchObject({ Key, UploadId });
      expect(Math.abs((found?.Initiated?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
      await send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
      expect(await unfinished()).toEqual([]);
      const again = part(Key, UploadId, 2, randomBytes(10));
      expect(await refusal(again)).toMatchObject({ name: 'NoSuchUpload', status: 404 });
    });

    test('If-None-Match: * at completion', async () => {
      const Key = 'm/once';
      await put(Key, 'first');
      const UploadId = await begin(Key);
      const { ETag } = await part(Key, UploadId, 1, Buffer.from('second'));
      const seen = await refusal(
        send(
          new CompleteMultipartUploadCommand({
            Bucket,
            Key,
            UploadId,
            MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
            IfNoneMatch: '*',
          }),
        ),
      );
      expect(seen.name).toBe(ways.ifNoneMatchAtCompletion);
      const kept = seen.name === 'accepted' ? 'second' : 'first';
      expect((await get({ Key })).body.toString()).toBe(kept);
    });
  });
}
