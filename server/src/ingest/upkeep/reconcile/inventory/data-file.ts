import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { Store } from '@flex-custody/vault';
import type { DataFile } from './manifest.ts';
import { unusable } from './unusable.ts';

const rangeBytes = 4 * 1024 * 1024;

/**
 * One data file, read in ranges: a file may have 2 GB, and a single response would stay open while the database stores
 * the rows, and break.
 */
export interface OpenFile {
  readonly key: string;
  readonly bytes: number;
  /** Bytes [start, end) of the opened object. */
  read(start: number, end: number): Promise<Buffer>;
  /** The whole file in pieces. @throws CustodyError `inventory_unusable` at the end, if its MD5 is not the manifest's */
  all(): AsyncGenerator<Buffer>;
}

/** @throws CustodyError `inventory_unusable` if its length is not the manifest's, `object_missing`, `store_*` */
export async function openFile(
  store: Pick<Store, 'get'>,
  { key, bytes, md5 }: DataFile,
  signal: AbortSignal,
): Promise<OpenFile> {
  if (bytes === 0) throw unusable(`${key} is empty: wait for the next inventory`);
  const probe = await store.get(key, { start: 0, end: 0, signal });
  probe.body.resume();
  if (probe.totalBytes !== bytes)
    throw unusable(
      `${key} has ${probe.totalBytes} bytes, and the manifest says ${bytes}: wait for the next inventory`,
    );
  const read = async (start: number, end: number): Promise<Buffer> => {
    signal.throwIfAborted();
    if (end <= start) return Buffer.alloc(0);
    return buffer((await store.get(key, { start, end: end - 1, ifMatch: probe.etag, signal })).body);
  };
  return {
    key,
    bytes,
    read,
    async *all() {
      const hash = createHash('md5');
      for (let start = 0; start < bytes; start += rangeBytes) {
        const piece = await read(start, Math.min(start + rangeBytes, bytes));
        hash.update(piece);
        yield piece;
      }
      if (hash.digest('hex') !== md5)
        throw unusable(`${key} does not have the MD5 that its manifest says: wait for the next inventory`);
    },
  };
}
