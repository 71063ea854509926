import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CustodyError } from '@flex-custody/core';
import { parse } from 'csv-parse';
import type { OpenFile } from './data-file.ts';
import { type Entry, entryOf } from './entry.ts';
import type { Columns } from './manifest.ts';
import { unusable } from './unusable.ts';

/** A key has at most 1,024 bytes, and each takes three in URL encoding. */
const mostLineBytes = 16 * 1024;

/**
 * The entries of a CSV data file: no header, every field quoted, keys URL-encoded.
 * @throws CustodyError `inventory_unusable`, `store_*`
 */
export async function* csvEntries(file: OpenFile, columns: Columns, width: number): AsyncGenerator<Entry> {
  const lines = parse({ relax_column_count: true, max_record_size: mostLineBytes });
  const source = Readable.from(file.all(), { objectMode: false, highWaterMark: 256 * 1024 });
  // The reader of `lines` receives the errors.
  const ended = () => undefined;
  if (file.key.endsWith('.gz')) pipeline(source, createGunzip(), lines, ended);
  else pipeline(source, lines, ended);
  try {
    for await (const line of lines as AsyncIterable<string[]>) {
      if (line.length !== width)
        throw unusable(
          `a line of ${file.key} has ${line.length} fields, and the manifest names ${width}: wait for the next inventory`,
        );
      const at = (column: keyof Columns) => line[columns[column]?.at ?? -1];
      const key = decoded(at('key') ?? '');
      const entry = entryOf({
        key,
        etag: at('etag'),
        lastModified: at('lastModified'),
        isLatest: at('isLatest'),
        isDeleteMarker: at('isDeleteMarker'),
      });
      if (entry) yield entry;
    }
  } catch (error) {
    if (error instanceof CustodyError || !isOfFormat(error)) throw error;
    throw unusable(`${file.key} cannot be read as gzip and CSV: wait for the next inventory`, error);
  } finally {
    lines.destroy();
  }
}

/** Undefined for invalid URL encoding: no recording has such a key. */
function decoded(key: string): string | undefined {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** True for errors of zlib and of csv-parse, and false for an abort or an error of the network. */
function isOfFormat(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^(Z_|CSV_)/.test(code);
}
