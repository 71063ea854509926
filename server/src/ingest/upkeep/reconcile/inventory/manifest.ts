import { createHash } from 'node:crypto';
import { z } from 'zod';
import { unusable } from './unusable.ts';

/** The columns that the host reads, by their names in the manifest in lower case without underscores. */
const wanted = {
  key: 'key',
  etag: 'etag',
  lastModified: 'lastmodifieddate',
  isLatest: 'islatest',
  isDeleteMarker: 'isdeletemarker',
} as const;
const required = { key: 'Key', etag: 'ETag', lastModified: 'LastModifiedDate' } as const;

export type Column = keyof typeof wanted;
/** Positions of the columns in a line of CSV, from 0, and their names in the manifest. */
export type Columns = Readonly<
  Partial<Record<Column, { at: number; name: string }>> &
    Record<keyof typeof required, { at: number; name: string }>
>;

export interface DataFile {
  key: string;
  bytes: number;
  /** Hexadecimal. */
  md5: string;
}

/** An inventory's manifest: S3's list of its data files. */
export interface Manifest {
  /** Key of manifest.json, which identifies the inventory. */
  key: string;
  /** When S3 began it. Objects written or deleted since may be in it or not. */
  createdAt: Date;
  format: 'CSV' | 'Parquet';
  columns: Columns;
  /** How many columns a line of CSV has. */
  width: number;
  files: readonly DataFile[];
}

const mostFiles = 100_000;
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html */
const shape = z.object({
  sourceBucket: z.string(),
  creationTimestamp: z.string().regex(/^\d{12,14}$/),
  fileFormat: z.string(),
  fileSchema: z.string().max(65_536),
  files: z
    .array(
      z.object({
        key: z.string().min(1).max(1_024),
        size: z.int().min(0),
        MD5checksum: z.string().regex(/^[0-9a-fA-F]{32}$/),
      }),
    )
    .max(mostFiles),
});

/**
 * @param checksum text of manifest.checksum
 * @throws CustodyError `inventory_unusable`
 */
export function readManifest(
  key: string,
  bytes: Uint8Array,
  { checksum, sourceBucket }: { checksum: string; sourceBucket: string },
): Manifest {
  const md5 = createHash('md5').update(bytes).digest('hex');
  if (md5 !== checksum.trim().toLowerCase())
    throw unusable(`${key} does not have the MD5 of its manifest.checksum: wait for the next inventory`);
  const { data } = shape.safeParse(jsonOf(bytes));
  if (!data)
    throw unusable(`${key} is not a manifest of an S3 Inventory: find out what else writes to that prefix`);
  if (data.sourceBucket !== sourceBucket)
    throw unusable(
      `${key} is the inventory of the bucket ${data.sourceBucket}, and recordings are in ${sourceBucket}: correct CUSTODY_INVENTORY`,
    );
  const { fileFormat: format } = data;
  if (format !== 'CSV' && format !== 'Parquet')
    throw unusable(
      `${key} is in the format ${format.slice(0, 20)}, which the host does not read: set the format of the inventory to CSV or Parquet`,
    );
  const names = namesOf(format, data.fileSchema);
  return {
    key,
    createdAt: new Date(Number(data.creationTimestamp)),
    format,
    columns: columnsOf(key, names),
    width: names.length,
    files: data.files.map((file) => ({
      key: file.key,
      bytes: file.size,
      md5: file.MD5checksum.toLowerCase(),
    })),
  };
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** `Bucket, Key, Size` of CSV; `message s3.inventory { required binary key (UTF8); … }` of Parquet. */
function namesOf(format: Manifest['format'], schema: string): string[] {
  if (format === 'CSV') return schema.split(',').map((name) => name.trim());
  return [...schema.matchAll(/\b(?:required|optional)\s+\w+\s+(\w+)/g)].map(([, name = '']) => name);
}

function columnsOf(key: string, names: readonly string[]): Columns {
  const plain = names.map((name) => name.toLowerCase().replaceAll('_', ''));
  const found: Partial<Record<Column, { at: number; name: string }>> = {};
  for (const [column, name] of Object.entries(wanted) as [Column, string][]) {
    const at = plain.indexOf(name);
    if (at >= 0) found[column] = { at, name: names[at] ?? '' };
  }
  const { key: keys, etag, lastModified, ...more } = found;
  if (!keys || !etag || !lastModified) {
    const missing = (Object.keys(required) as (keyof typeof required)[])
      .filter((column) => !found[column])
      .map((column) => required[column]);
    throw unusable(
      `${key} lacks ${missing.join(' and ')}: add ETag and LastModifiedDate to the optional fields of the inventory`,
    );
  }
  if (plain.includes('versionid') && (!more.isLatest || !more.isDeleteMarker))
    throw unusable(
      `${key} lists all versions and does not say which are the latest: list current versions alone`,
    );
  return { key: keys, etag, lastModified, ...more };
}
