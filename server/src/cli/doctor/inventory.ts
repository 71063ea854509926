import { createStore } from '@flex-custody/vault';
import { newestInventory } from '../../ingest/index.ts';
import { allowed } from '../../retention/prove-removable.ts';
import type { Seen } from './finding.ts';
import type { Scene } from './scene.ts';

const hour = 60 * 60_000;

/** S3's inventory of the bucket, if the comparison reads its keys there. The doctor does not read its data files. */
export async function inventory({ config }: Scene): Promise<Seen> {
  if (!config.inventory) return 'none is used: the comparison lists the bucket (CUSTODY_INVENTORY)';
  const { bucket, prefix } = config.inventory;
  const store = createStore({ ...config.store, bucket });
  try {
    const { createdAt, files, format } = await allowed(
      store,
      `s3:ListBucket and s3:GetObject on s3://${bucket}/${prefix}*`,
      () => newestInventory({ store, prefix, sourceBucket: config.store.bucket }),
    );
    const hours = Math.round((Date.now() - createdAt.getTime()) / hour);
    return `${format}, begun ${hours} hours ago, ${files.length} data ${files.length === 1 ? 'file' : 'files'}`;
  } finally {
    store.close();
  }
}
