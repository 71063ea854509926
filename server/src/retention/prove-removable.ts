import { CustodyError } from '@flex-custody/core';
import type { ObjectLock, Store, StoredVersion } from '@flex-custody/vault';

/** Where recordings lie, so that a policy for them holds for it; named as none of them is. */
const key = 'recordings/.check/erasing';

type ProbedStore = Pick<Store, 'bucket' | 'delete' | 'head' | 'lockOf' | 'putBytes' | 'versions'>;

/** `locked`: what is put there is locked by default, so that whether it can be deleted shows when that has ended. */
export interface Removable {
  versioned: boolean;
  locked?: ObjectLock;
}

/**
 * Does with an object of its own what an erasure does with a recording: its versions are listed, removed, and looked for
 * again. An object that an earlier probe could not remove is used again.
 * @throws CustodyError as the store does, naming the right that is missing; `erasure_incomplete` where it is there still
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
      `the bucket ${store.bucket} does not list what was just put there: use an S3 that lists at once`,
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
  // Another run may have put its own meanwhile.
  const isThere = left.some((one) =>
    found.some(({ versionId }) => isVersioned(one) && versionId === one.versionId),
  );
  if (isThere || (!versioned && left.length > 0 && (await store.head(key))))
    throw new CustodyError(
      'erasure_incomplete',
      `the bucket ${store.bucket} accepts that an object is removed, and has it still: use an S3 that removes it`,
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

/** @throws CustodyError whose message names the right where S3 refuses it */
export async function allowed<T>(
  store: Pick<Store, 'bucket'>,
  right: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    // Only S3's own refusal is about a right: everything else, a lock too, says itself what it is.
    const isRefused = cause instanceof CustodyError && cause.code === 'store_denied';
    if (!isRefused || /Object Lock|does not exist/.test(cause.message)) throw cause;
    const what = `the bucket ${store.bucket} refuses ${right}`;
    throw new CustodyError(cause.code, `${what}: allow it (docs/deploy.md has the whole policy)`, { cause });
  }
}
