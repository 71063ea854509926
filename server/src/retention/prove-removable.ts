import { CustodyError } from '@flex-custody/core';
import type { ObjectLock, Store, StoredVersion } from '@flex-custody/vault';

/** Below the prefix of recordings, so that the bucket's rules for them apply; no recording has such a key. */
const key = 'recordings/.check/erasing';

type ProbedStore = Pick<Store, 'bucket' | 'delete' | 'head' | 'lockOf' | 'putBytes' | 'versions'>;

/** `locked`: the bucket locks new objects by default, so deletion can only be tested after the lock has ended. */
export interface Removable {
  versioned: boolean;
  locked?: ObjectLock;
}

/**
 * Does the same with an object of its own as an erasure with a recording: it lists the versions, removes them, and lists
 * again. It uses an object again that an earlier probe could not remove.
 * @throws CustodyError as the store does, naming the missing right; `erasure_incomplete` if the object still exists
 */
export async function proveRemovable(store: ProbedStore): Promise<Removable> {
  const list = () => allowed(store, 's3:ListBucketVersions', () => versionsOf(store));
  let found = await list();
  if (found.length === 0) {
    await allowed(store, 's3:PutObject', () => store.putBytes(key, Buffer.from('may it be removed?')));
    found = await list();
  }
  const [newest] = found;
  if (!newest)
    throw new CustodyError(
      'store_unsupported',
      `the bucket ${store.bucket} does not list an object that was just written: use an S3 store with consistent lists`,
    );
  const versioned = isVersioned(newest);
  for (const { versionId, deleteMarker } of found) {
    const lock = deleteMarker ? undefined : await store.lockOf(key, versionId);
    if (lock !== undefined && lock !== 'unknown') return { versioned, locked: lock };
    await allowed(store, versioned ? 's3:DeleteObjectVersion' : 's3:DeleteObject', () =>
      store.delete(key, versionId),
    );
  }
  const left = await list();
  // Another run may have written its own object meanwhile.
  const isThere = left.some((one) =>
    found.some(({ versionId }) => isVersioned(one) && versionId === one.versionId),
  );
  if (isThere || (!versioned && left.length > 0 && (await store.head(key))))
    throw new CustodyError(
      'erasure_incomplete',
      `the bucket ${store.bucket} accepted the deletion of an object, and still has it: use an S3 store that deletes objects`,
    );
  return { versioned };
}

const isVersioned = ({ versionId }: Pick<StoredVersion, 'versionId'>): boolean =>
  versionId !== undefined && versionId !== 'null';

async function versionsOf(store: Pick<Store, 'versions'>): Promise<StoredVersion[]> {
  const found: StoredVersion[] = [];
  for await (const one of store.versions(key)) if (one.key === key) found.push(one);
  return found;
}

/** @throws CustodyError whose message names the right, if S3 refuses it */
export async function allowed<T>(
  store: Pick<Store, 'bucket'>,
  right: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    // Only `store_denied` is about a right: every other error, a lock too, already states its cause.
    const isRefused = cause instanceof CustodyError && cause.code === 'store_denied';
    if (!isRefused || /Object Lock|does not exist/.test(cause.message)) throw cause;
    const what = `the bucket ${store.bucket} refuses ${right}`;
    throw new CustodyError(cause.code, `${what}: allow it (docs/deploy.md has the whole policy)`, { cause });
  }
}
