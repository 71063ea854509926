import { spawn, spawnSync } from 'node:child_process';
import { cpuSeconds, peakRssMb } from './processes.ts';

export interface S3Access {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
}

export const hasRclone = (): boolean => spawnSync('rclone', ['version']).status === 0;

/** Its own settings alone, whatever stands in the user's configuration. */
const environment = (s3: S3Access) => ({
  PATH: process.env['PATH'] ?? '',
  RCLONE_CONFIG: '/dev/null',
  RCLONE_S3_PROVIDER: 'Ceph',
  RCLONE_S3_ENDPOINT: s3.endpoint,
  RCLONE_S3_ACCESS_KEY_ID: s3.accessKeyId,
  RCLONE_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
});

export interface Rcloned {
  seconds: number;
  cpuSeconds: number;
  peakMb: number;
}

/** `rclone copy :http: --transfers 4`: every file of an index into a bucket, as it is. */
export function rcloneCopy(
  { indexUrl, caFile }: { indexUrl: string; caFile: string },
  s3: S3Access,
  bucket: string,
): Promise<Rcloned> {
  const from = ['--http-url', indexUrl, '--ca-cert', caFile];
  const args = ['copy', ':http:', `:s3:${bucket}/files`, ...from, '--transfers', '4'];
  const began = performance.now();
  const child = spawn('rclone', args, { env: environment(s3), stdio: ['ignore', 'ignore', 'pipe'] });
  const used = { cpuSeconds: 0, peakMb: 0 };
  const timer = setInterval(() => {
    try {
      used.cpuSeconds = cpuSeconds(child.pid ?? 0);
      // Who has ended has no memory any more.
      used.peakMb = Math.max(used.peakMb, peakRssMb(child.pid ?? 0) || 0);
    } catch {
      // It has ended; the last reading stands.
    }
  }, 50);
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => {
    words += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once('close', (code) => {
      clearInterval(timer);
      if (code === 0) resolve({ seconds: (performance.now() - began) / 1_000, ...used });
      else reject(new Error(`rclone ended with ${code}: ${words.slice(-2000)}`));
    });
  });
}

/** How many objects there are, and of how many bytes together. */
export function rcloneSize(s3: S3Access, bucket: string): { count: number; bytes: number } {
  const { stdout, stderr, status } = spawnSync('rclone', ['size', '--json', `:s3:${bucket}`], {
    env: environment(s3),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`rclone size: ${stderr}`);
  return JSON.parse(stdout) as { count: number; bytes: number };
}

/** Makes room for the next: nobody's figure. */
export function rclonePurge(s3: S3Access, bucket: string): void {
  const { status, stderr } = spawnSync('rclone', ['purge', `:s3:${bucket}`, '--checkers', '16'], {
    env: environment(s3),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`rclone purge: ${stderr}`);
}
