/** A thin pass-through: node:http and one GetObject of AWS SDK v3 a request, ranges handed on, no decryption. */
import { createServer } from 'node:http';
import { pipeline } from 'node:stream';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { world } from './world.mjs';

const { bucket, key, endpoint, region, accessKeyId, secretAccessKey } = world();
const client = new S3Client({
  endpoint,
  region,
  credentials: { accessKeyId, secretAccessKey },
  forcePathStyle: true,
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
  requestHandler: { httpAgent: { maxSockets: 200 } },
});
const server = createServer(async (request, response) => {
  const got = await client.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, Range: request.headers.range }),
  );
  response.writeHead(got.ContentRange ? 206 : 200, {
    'content-type': 'audio/x-wav',
    'content-length': String(got.ContentLength),
    'accept-ranges': 'bytes',
    ...(got.ContentRange ? { 'content-range': got.ContentRange } : {}),
  });
  pipeline(got.Body, response, () => undefined);
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
