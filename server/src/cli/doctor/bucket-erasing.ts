import { buffer } from 'node:stream/consumers';
import { CustodyError } from '@flex-custody/core';
import { createStore, type Store } from '@flex-custody/vault';
import { readFrom } from '../../ingest/index.ts';
import { allowed, proveRemovable } from '../../retention/prove-removable.ts';
import { note, type Seen } from './finding.ts';
import type { Scene } from './scene.ts';

/** Does what retention and `erase` do, with an object of the doctor's own. */
export async function erasing(scene: Scene): Promise<Seen> {
  return withStore(scene, async (store) => {
    const { versioned, locked } = await proveRemovable(store);
    if (locked)
      return note(
        `tried only in part: the bucket locks new objects by default${locked.until ? `, until ${locked.until.toISOString()}` : ''}; recordings are erased when their locks end`,
      );
    return versioned
      ? 'the doctor listed the version of an object of its own and removed it; nothing is left'
      : 'the doctor removed an object of its own; nothing is left, and the bucket keeps no versions';
  });
}

/** A sidecar is beside its recording, under a name that the Functions may not write. */
export async function sidecars(scene: Scene): Promise<Seen> {
  const key = 'recordings/.check.json';
  return withStore(scene, async (store) => {
    const bytes = Buffer.from('{}');
    const { versionId } = await allowed(store, 's3:PutObject on recordings/*.json', () =>
      store.putBytes(key, bytes),
    );
    try {
      const read = await allowed(store, 's3:GetObject on recordings/*.json', async () =>
        buffer((await store.get(key, versionId === undefined ? {} : { versionId })).body),
      );
      if (!read.equals(bytes))
        throw new CustodyError(
          'store_unsupported',
          'the store returned other bytes than were written: use another S3',
        );
    } finally {
      // The check of erasing says whether it may be removed; a lock by default keeps it.
      await store.delete(key, versionId).catch(() => undefined);
    }
    return 'can be written and read';
  });
}

/** The bucket of an archive, if one is named. The doctor has no object of its own there, so it deletes nothing. */
export async function archive({ config, options }: Scene): Promise<Seen> {
  if (options.importFrom === undefined)
    return 'not checked: before an import, run doctor --import-from s3://bucket/prefix';
  const { bucket, prefix } = readFrom(options.importFrom);
  const store = createStore({ ...config.store, bucket });
  try {
    let first: { key: string; bytes: number } | undefined;
    await allowed(store, 's3:ListBucket', async () => {
      for await (const one of store.list(prefix)) {
        first = one;
        return;
      }
    });
    if (first === undefined)
      return note(
        `${bucket} has nothing under "${prefix}"`,
        'correct --import-from, or there is nothing to import',
      );
    const { key, bytes } = first;
    if (bytes > 0)
      await allowed(store, 's3:GetObject', async () =>
        buffer((await store.get(key, { start: 0, end: 0 })).body),
      );
    await allowed(store, 's3:ListBucketVersions', async () => {
      for await (const _one of store.versions(key)) return;
    });
    return `${bucket} can be listed and read; the doctor does not try whether --delete-plain may delete there`;
  } finally {
    store.close();
  }
}

async function withStore<T>({ config }: Scene, work: (store: Store) => Promise<T>): Promise<T> {
  const store = createStore(config.store);
  try {
    return await work(store);
  } finally {
    store.close();
  }
}
