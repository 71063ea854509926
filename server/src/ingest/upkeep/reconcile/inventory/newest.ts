import { buffer } from 'node:stream/consumers';
import { errorCode } from '@flex-custody/core';
import type { Store } from '@flex-custody/vault';
import { type Manifest, readManifest } from './manifest.ts';
import { unusable } from './unusable.ts';

/** Where S3 writes the inventories of a bucket. */
export interface InventoryPlace {
  /** The bucket of the inventories. */
  store: Pick<Store, 'bucket' | 'get' | 'list'>;
  /** Empty, or with a slash at its end. */
  prefix: string;
  /** The bucket that the inventories list. */
  sourceBucket: string;
}

const day = 24 * 60 * 60_000;
/** A weekly inventory is more than seven days old when the next one appears. */
export const oldestMs = 8 * day;
const mostManifestBytes = 32 * 1024 * 1024;

interface Folder {
  /** As S3 names it: `2026-11-06T21-32Z`. */
  date: string;
  manifest?: { key: string; bytes: number };
  checksum?: { key: string };
}

/**
 * The newest inventory that is complete and can be read, among all configurations that write below the prefix.
 * @throws CustodyError `inventory_unusable`, with the fault of the newest; `store_*`
 */
export async function newestInventory(place: InventoryPlace, now: Date = new Date()): Promise<Manifest> {
  const where = `s3://${place.store.bucket}/${place.prefix}${place.sourceBucket}/`;
  const folders = await foldersOf(place);
  if (folders.length === 0)
    throw unusable(
      `no inventory is under ${where}: S3 writes the first one within 48 hours after you switch it on (docs/reconcile.md)`,
    );
  let first: unknown;
  for (const { manifest, checksum } of folders) {
    try {
      if (!manifest || !checksum) continue;
      const found = await read(place, manifest, checksum.key);
      if (now.getTime() - found.createdAt.getTime() <= oldestMs) return found;
      first ??= unusable(
        `the newest inventory under ${where} is of ${found.createdAt.toISOString()}, older than ${oldestMs / day} days: check that the inventory is still switched on`,
      );
      break;
    } catch (error) {
      // An earlier inventory may be good; an unavailable store shows nothing about either.
      if (!/^(inventory_unusable|object_missing)$/.test(errorCode(error))) throw error;
      first ??= error;
    }
  }
  throw (
    first ??
    unusable(
      `no inventory under ${where} has both manifest.json and manifest.checksum: wait until S3 has completed one`,
    )
  );
}

/** Newest first. */
async function foldersOf({ store, prefix, sourceBucket }: InventoryPlace): Promise<Folder[]> {
  const below = `${prefix}${sourceBucket}/`;
  const folders = new Map<string, Folder>();
  for await (const { key, bytes } of store.list(below)) {
    const [, folder, date, name] =
      /^([^/]+\/(\d{4}-\d{2}-\d{2}T\d{2}-\d{2}Z))\/manifest\.(json|checksum)$/.exec(
        key.slice(below.length),
      ) ?? [];
    if (folder === undefined || date === undefined) continue;
    const one = folders.get(folder) ?? { date };
    folders.set(folder, {
      ...one,
      ...(name === 'json' ? { manifest: { key, bytes } } : { checksum: { key } }),
    });
  }
  return [...folders.values()].sort((a, b) => (a.date < b.date ? 1 : -1));
}

async function read(
  { store, sourceBucket }: InventoryPlace,
  { key, bytes }: { key: string; bytes: number },
  checksumKey: string,
): Promise<Manifest> {
  if (bytes > mostManifestBytes)
    throw unusable(`${key} is too long for a manifest: find out what else writes there`);
  const checksum = await buffer((await store.get(checksumKey, { start: 0, end: 63 })).body);
  const manifest = await buffer((await store.get(key)).body);
  return readManifest(key, manifest, { checksum: checksum.toString('latin1'), sourceBucket });
}
