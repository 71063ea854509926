import { GetObjectCommand, HeadBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { refusal, type Subject } from './subject.ts';

/** Who is let in: signatures in the header and in the query. */
export function access(subject: Subject): void {
  const { bucket: Bucket, put, client, send } = subject;

  describe('who may', () => {
    test('the bucket is there, and another is not', async () => {
      await send(new HeadBucketCommand({ Bucket }));
      expect(await refusal(send(new HeadBucketCommand({ Bucket: 'not-there' })))).toMatchObject({
        status: 404,
      });
    });

    test('a wrong secret is refused', async () => {
      const wrong = client({ secretAccessKey: 'wrong' });
      const sent = wrong.send(new PutObjectCommand({ Bucket, Key: 'w/wrong', Body: 'x' }));
      expect(await refusal(sent)).toEqual({ name: 'SignatureDoesNotMatch', status: 403 });
      wrong.destroy();
    });

    test('without a signature nothing is read', async () => {
      await put('w/closed', 'x');
      expect((await fetch(`${subject.engine.endpoint}/${Bucket}/w/closed`)).status).toBe(403);
    });

    const presign = (Key: string, options: object) =>
      getSignedUrl(subject.s3, new GetObjectCommand({ Bucket, Key }), { expiresIn: 60, ...options });

    test('a presigned URL reads this object, ranges too, and no other', async () => {
      await put('w/open it', '0123456789');
      await put('w/other', 'secret');
      const url = await presign('w/open it', {});
      expect(await (await fetch(url)).text()).toBe('0123456789');
      const ranged = await fetch(url, { headers: { range: 'bytes=2-3' } });
      expect([ranged.status, await ranged.text()]).toEqual([206, '23']);
      expect((await fetch(url.replace('open%20it', 'other'))).status).toBe(403);
      expect((await fetch(url.replace('X-Amz-Expires=60', 'X-Amz-Expires=600'))).status).toBe(403);
    });

    test('an expired one reads nothing', async () => {
      await put('w/late', 'x');
      const url = await presign('w/late', { signingDate: new Date(Date.now() - 120_000) });
      expect((await fetch(url)).status).toBe(403);
    });
  });
}
