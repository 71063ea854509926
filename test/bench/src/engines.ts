import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

export interface Engines {
  /** Undefined: the sandbox's own S3. */
  s3: { endpoint: string; accessKeyId: string; secretAccessKey: string } | undefined;
  /** Undefined: embedded PGlite. */
  databaseUrl: string | undefined;
  stop(): void;
}

const free = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

/** Runs one of test/engines/*.sh, as nobody where we are root: both engines refuse root. */
function engine(name: string, args: readonly string[]): string {
  const script = readFileSync(join('test/engines', `${name}.sh`));
  const isRoot = process.getuid?.() === 0;
  const [command, ...rest] = [
    ...(isRoot ? ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', 'env', 'HOME=/tmp'] : []),
    'bash',
    '-s',
    '--',
    ...args,
  ];
  const output = execFileSync(command ?? 'bash', rest, { input: script, stdio: ['pipe', 'pipe', 'pipe'] });
  return output.toString().trim();
}

/**
 * The engines that the environment names (TEST_S3_ENDPOINT, TEST_DATABASE_URL), else those installed on this machine,
 * started for the occasion; where neither is there, the sandbox's S3 and PGlite, which is said.
 */
export async function startEngines(folder: string): Promise<Engines> {
  const env = process.env;
  const stops: (() => void)[] = [];
  mkdirSync(folder, { recursive: true });
  if (process.getuid?.() === 0) {
    chownSync(folder, 65534, 65534);
    chmodSync(folder, 0o755);
  }
  let s3: Engines['s3'];
  if (env['TEST_S3_ENDPOINT']) {
    s3 = {
      endpoint: env['TEST_S3_ENDPOINT'],
      accessKeyId: env['TEST_S3_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: env['TEST_S3_SECRET_ACCESS_KEY'] ?? '',
    };
  } else if (existsSync('/usr/bin/radosgw')) {
    const port = await free();
    const endpoint = engine('radosgw', ['start', join(folder, 'ceph'), String(port)]);
    stops.push(() => void engine('radosgw', ['stop', join(folder, 'ceph')]));
    s3 = { endpoint, accessKeyId: 'testkey', secretAccessKey: 'testsecret12345' };
  }
  let databaseUrl = env['TEST_DATABASE_URL'];
  if (!databaseUrl && existsSync('/usr/lib/postgresql')) {
    databaseUrl = engine('postgresql', ['start', join(folder, 'postgresql'), String(await free())]);
    stops.push(() => void engine('postgresql', ['stop', join(folder, 'postgresql')]));
  }
  return {
    s3,
    databaseUrl,
    stop() {
      for (const stop of stops.reverse()) stop();
    },
  };
}

export async function makeBucket(s3: NonNullable<Engines['s3']>, bucket: string): Promise<void> {
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
}
