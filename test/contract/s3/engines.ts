import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFaults } from '../../../sandbox/src/faults.ts';
import { startS3 } from '../../../sandbox/src/s3/index.ts';
import { testS3 } from '../../support/needs.ts';
import type { Engine } from './subject.ts';

/** The sandbox's S3, empty, in a folder that goes when it closes. */
export async function ownEngine(): Promise<Engine> {
  const directory = await mkdtemp(join(tmpdir(), 's3-conformance-'));
  const own = await startS3({ directory, region: 'us-east-1', buckets: [], faults: createFaults() });
  const close = async () => {
    await own.close();
    await rm(directory, { recursive: true });
  };
  return { ...own, shared: false, close };
}

/** The radosgw that this machine runs, which others use as well. */
export async function radosgwEngine(): Promise<Engine> {
  return { ...testS3(), shared: true, close: async () => undefined };
}
