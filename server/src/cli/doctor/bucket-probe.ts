import { buffer } from 'node:stream/consumers';
import { CustodyError, isSealedAtRest } from '@flex-custody/core';
import { type Keys, type Store, sealBytes } from '@flex-custody/vault';
import { allowed } from '../../retention/prove-removable.ts';

/** Under the prefix of recordings, so that the same bucket policy applies; no recording has this name. */
const key = 'recordings/.check';
const rangeEnd = 15;

/**
 * Does once, with a small sealed object, what the host does with every recording, and leaves nothing.
 * @returns whether the bucket keeps versions
 * @throws CustodyError whose message names the right that is missing
 */
export async function probeBucket(store: Store, keys: Keys | undefined, account: string): Promise<boolean> {
  await store.check();
  const body = await smallObject(keys, account);
  const { versionId } = await allowed(store, 's3:PutObject', () => store.putBytes(key, body));
  try {
    const read = async (version: string | undefined) => {
      const range = { start: 0, end: rangeEnd, ...(version !== undefined && { versionId: version }) };
      const found = await buffer((await store.get(key, range)).body);
      if (!found.equals(body.subarray(0, rangeEnd + 1))) {
        throw new CustodyError(
          'store_ranges',
          `a ranged read from ${store.bucket} returned ${found.length} bytes that are wrong: use an S3 that honours Range`,
        );
      }
    };
    await allowed(store, 's3:GetObject', () => read(undefined));
    if (versionId !== undefined) await allowed(store, 's3:GetObjectVersion', () => read(versionId));
    if (store.mode === 'sse-kms') await sealedAtRest(store, versionId);
    await allowed(store, 's3:ListBucket', () => first(store.list(key)));
    await allowed(store, 's3:ListBucketMultipartUploads', () => first(store.unfinishedUploads(key)));
  } finally {
    const right = versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
    await allowed(store, right, () => store.delete(key, versionId).catch(exceptOfLock));
  }
  return versionId !== undefined;
}

/** @throws CustodyError `store_unencrypted`: no object that the host stores there would count as a copy */
async function sealedAtRest(store: Store, versionId: string | undefined): Promise<void> {
  const found = await store.head(key, versionId);
  if (found && isSealedAtRest(store, found)) return;
  throw new CustodyError(
    'store_unencrypted',
    `S3 does not confirm that the object in ${store.bucket} is encrypted by the KMS key: correct CUSTODY_SSE_KMS_KEY_ID, or use an S3 with KMS`,
  );
}

async function smallObject(keys: Keys | undefined, account: string): Promise<Buffer> {
  const plain = Buffer.from('flex-custody doctor was here');
  return keys ? sealBytes(keys, { account, recording: '.check' }, plain) : plain;
}

/** An object that the bucket locks by default stays until its lock ends, as recordings do; the check of erasing says so. */
function exceptOfLock(error: unknown): void {
  if (!(error instanceof CustodyError && /Object Lock/.test(error.message))) throw error;
}

async function first(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _one of items) return;
}
