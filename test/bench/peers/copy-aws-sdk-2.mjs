/**
 * The copy of the old samples: axios piped into s3-upload-stream on aws-sdk 2. Its README advises against many large
 * parts at once and recommends the default, one part of 5 MB at a time; `BENCH_WIDE` takes the largest values of its
 * examples all the same.
 */
import AWS from 'aws-sdk';
import axios from 'axios';
import s3UploadStream from 's3-upload-stream';
import { report, world } from './world.mjs';

const { mediaUrl, auth, bucket, key, endpoint, region, accessKeyId, secretAccessKey } = world();
const s3 = new AWS.S3({ endpoint, region, accessKeyId, secretAccessKey, s3ForcePathStyle: true });
const startedAt = performance.now();
const media = await axios.get(mediaUrl, { auth, responseType: 'stream' });
const upload = s3UploadStream(s3).upload({ Bucket: bucket, Key: key, ContentType: 'audio/x-wav' });
if (process.env.BENCH_WIDE) {
  upload.maxPartSize(20971520);
  upload.concurrentParts(5);
}
let bytes = 0;
media.data.on('data', (chunk) => {
  bytes += chunk.length;
});
await new Promise((resolve, reject) => {
  upload.on('error', reject);
  upload.on('uploaded', resolve);
  media.data.on('error', reject);
  media.data.pipe(upload);
});
report(startedAt, bytes);
