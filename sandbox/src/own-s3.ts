import type { S3Access } from './bucket.ts';
import type { Faults } from './faults.ts';
import { startS3 } from './s3/index.ts';
import { functionsPolicy, hostPolicy } from './s3/policies.ts';
import { policyOf } from './s3/policy.ts';
import { newIdentity } from './s3/rights.ts';
import type { World } from './world.ts';

export const region = 'us-east-1';

/** The sandbox's own S3, with a user of the host's and one of the Functions'; `closers` gets what ends it. */
export async function startOwnS3(
  directory: string,
  bucket: string,
  { world, faults }: { world: World; faults: Faults },
  closers: (() => unknown)[],
): Promise<S3Access> {
  const host = newIdentity('host', policyOf(hostPolicy, bucket));
  const functions = newIdentity('functions', policyOf(functionsPolicy, bucket));
  const own = await startS3({
    directory,
    region,
    buckets: [bucket],
    faults,
    identities: [host, functions],
    now: () => Date.now() + world.behaviour.clockSeconds * 1000,
  });
  closers.push(() => own.close());
  return {
    endpoint: own.endpoint,
    region,
    bucket,
    accessKeyId: own.accessKeyId,
    secretAccessKey: own.secretAccessKey,
    identities: { host, functions },
  };
}
