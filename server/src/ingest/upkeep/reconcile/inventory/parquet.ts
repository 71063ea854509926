import { CustodyError } from '@flex-custody/core';
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import type { OpenFile } from './data-file.ts';
import { type Entry, entryOf } from './entry.ts';
import type { Column, Columns } from './manifest.ts';
import { unusable } from './unusable.ts';

/** Most rows in memory at once. */
const sliceRows = 20_000;
/** Most uncompressed bytes of the columns that are read in one row group: a group without a page index is read as a whole. */
const mostGroupBytes = 256 * 1024 * 1024;
const mostFooterBytes = 64 * 1024 * 1024;
const footerBytes = 8;

/**
 * The entries of a data file in Parquet. Its MD5 is checked first, because the file is not read sequentially.
 * @throws CustodyError `inventory_unusable`, `store_*`
 */
export async function* parquetEntries(file: OpenFile, columns: Columns): AsyncGenerator<Entry> {
  for await (const _piece of file.all());
  const source: AsyncBuffer = {
    byteLength: file.bytes,
    slice: async (start, end = file.bytes) => arrayBufferOf(await file.read(start, end)),
  };
  const names = Object.entries(columns) as [Column, { name: string }][];
  const metadata = await asUnusable(file, () => metadataOf(file, source));
  for (const [from, to] of slicesOf(file, metadata, new Set(names.map(([, { name }]) => name)))) {
    const rows = await asUnusable(file, () =>
      parquetReadObjects({
        file: source,
        metadata,
        columns: names.map(([, { name }]) => name),
        rowStart: from,
        rowEnd: to,
        useOffsetIndex: true,
      }),
    );
    for (const row of rows) {
      const value = (column: Column): unknown => row[columns[column]?.name ?? ''];
      const entry = entryOf({
        key: value('key'),
        etag: value('etag'),
        lastModified: value('lastModified'),
        isLatest: value('isLatest'),
        isDeleteMarker: value('isDeleteMarker'),
      });
      if (entry) yield entry;
    }
  }
}

async function metadataOf(file: OpenFile, source: AsyncBuffer): Promise<FileMetaData> {
  const end = await file.read(Math.max(0, file.bytes - footerBytes), file.bytes);
  if (end.length < footerBytes || end.readUInt32LE(0) > mostFooterBytes)
    throw unusable(`${file.key} does not end as Parquet does: wait for the next inventory`);
  return parquetMetadataAsync(source);
}

/** Ranges of rows [from, to) to read at once, each within one row group. */
function* slicesOf(
  file: OpenFile,
  { row_groups }: FileMetaData,
  names: ReadonlySet<string>,
): Generator<[number, number]> {
  let first = 0;
  for (const group of row_groups) {
    const bytes = group.columns
      .filter(({ meta_data }) => names.has(meta_data?.path_in_schema[0] ?? ''))
      .reduce((sum, { meta_data }) => sum + Number(meta_data?.total_uncompressed_size ?? 0), 0);
    if (bytes > mostGroupBytes)
      throw unusable(
        `${file.key} has groups of rows of ${bytes} bytes, more than is read at once: set the format of the inventory to CSV`,
      );
    const behind = first + Number(group.num_rows);
    for (let from = first; from < behind; from += sliceRows) yield [from, Math.min(from + sliceRows, behind)];
    first = behind;
  }
}

/** The Parquet reader's errors have no type of their own; the store throws a CustodyError. */
async function asUnusable<T>(file: OpenFile, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CustodyError || (error as Error | undefined)?.name === 'AbortError') throw error;
    throw unusable(`${file.key} cannot be read as Parquet: set the format of the inventory to CSV`, error);
  }
}

function arrayBufferOf({ buffer, byteOffset, byteLength }: Buffer): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}
