import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { HeadObjectCommand, PutObjectCommand, type S3ServiceException } from '@aws-sdk/client-s3';
import { refusal, type Subject } from './subject.ts';

/** Objects, and the conditions and ranges they are read with. */
export function objects(subject: Subject): void {
  const { bucket: Bucket, put, get, client, send, ways } = subject;

  describe('objects', () => {
    test('come back as they were put, with ETag, length and version', async () => {
      const body = randomBytes(100_000);
      const stored = await put('a/whole', body);
      const read = await get({ Key: 'a/whole' });
      expect(read.body.equals(body)).toBe(true);
      expect(read.ETag).toBe(`"${createHash('md5').update(body).digest('hex')}"`);
      expect(read).toMatchObject({
        ContentLength: 100_000,
        ETag: stored.ETag,
        VersionId: stored.VersionId,
        AcceptRanges: 'bytes',
      });
    });

    test('may be empty', async () => {
      await put('a/empty', Buffer.alloc(0));
      expect(await get({ Key: 'a/empty' })).toMatchObject({ ContentLength: 0, body: Buffer.alloc(0) });
    });

    test('are put from a stream whose length is known', async () => {
      const body = randomBytes(300_000);
      await send(
        new PutObjectCommand({
          Bucket,
          Key: 'a/stream',
          Body: Readable.from([body]),
          ContentLength: 300_000,
        }),
      );
      expect((await get({ Key: 'a/stream' })).body.equals(body)).toBe(true);
    });

    test('keep odd keys apart', async () => {
      const keys = ['k/ü ö', 'k/a+b', 'k/a b', 'k/a%20b', "k/(x)!'*", 'k/a/b', 'k/ab'];
      for (const key of keys) await put(key, key);
      for (const key of keys) expect((await get({ Key: key })).body.toString()).toBe(key);
    });

    test('keep their headers and metadata', async () => {
      const facts = { ContentType: 'audio/wav', Metadata: { sealed: 'yes' }, CacheControl: 'no-store' };
      await send(new PutObjectCommand({ Bucket, Key: 'a/facts', Body: 'x', ...facts }));
      expect(await get({ Key: 'a/facts' })).toMatchObject(facts);
    });

    test('that are missing are 404, by GET and by HEAD', async () => {
      expect(await refusal(get({ Key: 'missing' }))).toEqual({ name: 'NoSuchKey', status: 404 });
      const head = send(new HeadObjectCommand({ Bucket, Key: 'missing' }));
      expect(await refusal(head)).toMatchObject({ status: 404 });
    });

    test('a body that is not what Content-MD5 says is refused and leaves nothing', async () => {
      const ContentMD5 = createHash('md5').update('another').digest('base64');
      const sent = send(new PutObjectCommand({ Bucket, Key: 'a/md5', Body: 'this', ContentMD5 }));
      expect(await refusal(sent)).toMatchObject({ name: 'BadDigest', status: 400 });
      expect(await refusal(get({ Key: 'a/md5' }))).toMatchObject({ status: 404 });
    });

    test('a body that is not what its CRC32 says', async () => {
      const sent = send(
        new PutObjectCommand({ Bucket, Key: 'a/crc', Body: 'this', ChecksumCRC32: 'AAAAAA==' }),
      );
      const seen = await refusal(sent);
      expect(seen.name).toBe(ways.wrongCrc32);
    });

    test('a stream with a checksum in its trailer', async () => {
      const eager = client({ checksums: 'WHEN_SUPPORTED' });
      const body = randomBytes(200_000);
      const sent = eager.send(
        new PutObjectCommand({
          Bucket,
          Key: 'a/trailer',
          Body: Readable.from([body]),
          ContentLength: 200_000,
        }),
      );
      const seen = await refusal(sent);
      expect(seen.status).toBe(ways.checksumTrailer);
      if (seen.status === 200) expect((await get({ Key: 'a/trailer' })).body.equals(body)).toBe(true);
      eager.destroy();
    });
  });

  describe('conditions and ranges', () => {
    const body = Buffer.from('0123456789');
    const Key = 'c/ten';
    let ETag = '';
    beforeAll(async () => {
      ETag = (await put(Key, body)).ETag ?? '';
    });

    test.each([
      ['bytes=0-3', '0123', 'bytes 0-3/10'],
      ['bytes=4-', '456789', 'bytes 4-9/10'],
      ['bytes=-3', '789', 'bytes 7-9/10'],
      ['bytes=-30', '0123456789', 'bytes 0-9/10'],
      ['bytes=8-100', '89', 'bytes 8-9/10'],
      ['bytes=9-9', '9', 'bytes 9-9/10'],
    ])('%s', async (Range, text, ContentRange) => {
      const read = await get({ Key, Range });
      expect(read.body.toString()).toBe(text);
      expect(read).toMatchObject({ ContentRange, ContentLength: text.length });
      expect(read.$metadata.httpStatusCode).toBe(206);
    });

    test('a range behind the end is 416', async () => {
      expect(await refusal(get({ Key, Range: 'bytes=10-' }))).toMatchObject({
        name: 'InvalidRange',
        status: 416,
      });
    });

    test.each(Object.entries(ways.oddRanges))(
      '%s, which no client should send',
      async (Range, [status, text]) => {
        const read = await get({ Key, Range }).catch((error: S3ServiceException) => ({ ...error, body: '' }));
        expect([read.$metadata.httpStatusCode, read.body.toString()]).toEqual([status, text]);
      },
    );

    test('If-Match lets the same object through and no other', async () => {
      expect((await get({ Key, IfMatch: ETag })).body).toHaveLength(10);
      const other = get({ Key, IfMatch: '"00000000000000000000000000000000"' });
      expect(await refusal(other)).toMatchObject({ name: 'PreconditionFailed', status: 412 });
      const ranged = get({ Key, Range: 'bytes=0-3', IfMatch: '"0"' });
      expect(await refusal(ranged)).toMatchObject({ status: 412 });
    });

    test('If-None-Match of the same object is 304', async () => {
      expect(await refusal(get({ Key, IfNoneMatch: ETag }))).toMatchObject({ status: 304 });
    });

    test('If-None-Match: * on a put', async () => {
      await put('c/once', 'first');
      const sent = send(new PutObjectCommand({ Bucket, Key: 'c/once', Body: 'second', IfNoneMatch: '*' }));
      expect((await refusal(sent)).name).toBe(ways.ifNoneMatchOnPut);
      const kept = ways.ifNoneMatchOnPut === 'accepted' ? 'second' : 'first';
      expect((await get({ Key: 'c/once' })).body.toString()).toBe(kept);
    });
  });
}
