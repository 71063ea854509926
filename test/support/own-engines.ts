import { randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { openPostgres } from '../../server/src/db/postgres.ts';
import { testS3 } from './needs.ts';

const name = (separator: string) => ['custody', 'test', randomBytes(6).toString('hex')].join(separator);

/** A versioned bucket of a suite's own on the S3 that the environment names. */
export async function ownBucket() {
  const s3 = testS3();
  const bucket = name('-');
  const { endpoint, ...credentials } = s3;
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  await client.send(
    new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }),
  );
  return {
    s3: { ...s3, bucket },
    head: (key: string) => client.send(new HeadObjectCommand({ Bucket: bucket, Key: key })),
    async drop() {
      const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
      for (const { Key, VersionId } of Versions)
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
      await client.send(new DeleteBucketCommand({ Bucket: bucket }));
      client.destroy();
    },
  };
}

/** A database of a suite's own on the server that TEST_DATABASE_URL names. */
export async function ownDatabase() {
  const database = name('_');
  const url = new URL(process.env['TEST_DATABASE_URL'] ?? '');
  const server = await openPostgres(url.href);
  await server.query(`CREATE DATABASE ${database}`);
  url.pathname = `/${database}`;
  return {
    url: url.href,
    async drop() {
      await server.query(`DROP DATABASE ${database} WITH (FORCE)`);
      await server.close();
    },
  };
}
