import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { createEngines, isInstalled, radosgwUser } from '../../engines/engines.mjs';

export interface Engines {
  /** Undefined: the sandbox's own S3. */
  s3: { endpoint: string; accessKeyId: string; secretAccessKey: string } | undefined;
  /** Undefined: embedded PGlite. */
  databaseUrl: string | undefined;
  stop(): void;
}

/**
 * The engines that the environment names (TEST_S3_ENDPOINT, TEST_DATABASE_URL), else those installed on this machine,
 * started for the occasion; where neither is there, the sandbox's S3 and PGlite, which is said.
 */
export async function startEngines(folder: string): Promise<Engines> {
  const env = process.env;
  const engines = createEngines(folder);
  let s3: Engines['s3'];
  if (env['TEST_S3_ENDPOINT']) {
    s3 = {
      endpoint: env['TEST_S3_ENDPOINT'],
      accessKeyId: env['TEST_S3_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: env['TEST_S3_SECRET_ACCESS_KEY'] ?? '',
    };
  } else if (isInstalled('radosgw')) {
    s3 = { endpoint: await engines.start('radosgw'), ...radosgwUser };
  }
  let databaseUrl = env['TEST_DATABASE_URL'];
  if (!databaseUrl && isInstalled('postgresql')) databaseUrl = await engines.start('postgresql');
  return { s3, databaseUrl, stop: () => engines.stop() };
}

export async function makeBucket(
  s3: NonNullable<Engines['s3']>,
  bucket: string,
  { versions = false } = {},
): Promise<void> {
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  if (versions) {
    const VersioningConfiguration = { Status: 'Enabled' as const };
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
  }
  client.destroy();
}
