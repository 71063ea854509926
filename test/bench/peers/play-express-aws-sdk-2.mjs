/** The playback of the old samples: express, aws-sdk 2 and s3-download-stream with its defaults, no decryption. */
import AWS from 'aws-sdk';
import express from 'express';
import downloader from 's3-download-stream';
import { world } from './world.mjs';

const { bucket, key, endpoint, region, accessKeyId, secretAccessKey } = world();
const client = new AWS.S3({ endpoint, region, accessKeyId, secretAccessKey, s3ForcePathStyle: true });
const app = express();
app.get('/media', async (_request, response) => {
  const params = { Bucket: bucket, Key: key };
  const head = await client.headObject(params).promise();
  response.set({
    'content-type': 'audio/x-wav',
    'content-length': String(head.ContentLength),
    'accept-ranges': 'bytes',
  });
  downloader({ client, concurrency: 6, params }).pipe(response);
});
const listener = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: listener.address().port }));
});
