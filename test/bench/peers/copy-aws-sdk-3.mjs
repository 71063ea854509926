/** The plainest modern copy: axios into lib-storage of AWS SDK v3, with its defaults but 8 MB parts, unencrypted. */
import { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import axios from 'axios';
import { report, world } from './world.mjs';

const { mediaUrl, auth, bucket, key, endpoint, region, accessKeyId, secretAccessKey } = world();
const client = new S3Client({
  endpoint,
  region,
  credentials: { accessKeyId, secretAccessKey },
  forcePathStyle: true,
  requestChecksumCalculation: 'WHEN_REQUIRED',
});
const startedAt = performance.now();
const media = await axios.get(mediaUrl, { auth, responseType: 'stream' });
let bytes = 0;
media.data.on('data', (chunk) => {
  bytes += chunk.length;
});
media.data.pause();
const upload = new Upload({
  client,
  params: { Bucket: bucket, Key: key, Body: media.data, ContentType: 'audio/x-wav' },
  partSize: 8 * 1024 * 1024,
  queueSize: 4,
});
await upload.done();
report(startedAt, bytes);
client.destroy();
