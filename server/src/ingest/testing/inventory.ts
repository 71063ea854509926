import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Store } from '@flex-custody/vault';
import { parquetWriteBuffer } from 'hyparquet-writer';

export interface Listed {
  key: string;
  /** Without quotes, as S3 writes it there. */
  etag: string;
  lastModified: Date;
  isLatest?: boolean;
  isDeleteMarker?: boolean;
}

export interface InventoryOptions {
  format?: 'CSV' | 'Parquet';
  source?: string;
  /** When S3 began it; an hour ago by default. */
  createdAt?: Date;
  prefix?: string;
  config?: string;
  /** Rows are spread over so many data files. */
  files?: number;
  versions?: boolean;
  /** In place of what belongs there. */
  change?: (manifest: Record<string, unknown>) => Record<string, unknown>;
  /** False leaves manifest.checksum out. */
  checksum?: false | string;
  /** Changes the bytes of each data file after its MD5 was taken. */
  spoil?: (bytes: Buffer) => Buffer;
  /** Rows in one group of a Parquet file. */
  groupRows?: number;
}

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');
const quoted = (fields: readonly unknown[]) => `${fields.map((field) => `"${String(field)}"`).join(',')}\n`;

const csvNames = (versions: boolean) =>
  versions
    ? 'Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag'
    : 'Bucket, Key, Size, LastModifiedDate, ETag';
const parquetNames = (versions: boolean) =>
  `message s3.inventory { required binary bucket (UTF8); required binary key (UTF8); ${
    versions
      ? 'optional binary version_id (UTF8); optional boolean is_latest; optional boolean is_delete_marker; '
      : ''
  }optional int64 size; optional int64 last_modified_date (TIMESTAMP(MILLIS,true)); optional binary e_tag (UTF8); }`;

/** S3 writes the keys of CSV as in a URL, slashes as they are. */
const inUrl = (key: string) => encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+');

export function csvOf(rows: readonly Listed[], source: string, versions: boolean): Buffer {
  const lines = rows.map(({ key, etag, lastModified, isLatest = true, isDeleteMarker = false }) =>
    quoted([
      source,
      inUrl(key),
      ...(versions ? ['v1', isLatest, isDeleteMarker] : []),
      1_000,
      lastModified.toISOString(),
      etag,
    ]),
  );
  return gzipSync(lines.join(''));
}

function parquetOf(rows: readonly Listed[], source: string, versions: boolean, groupRows: number): Buffer {
  const column = (name: string, type: 'STRING' | 'BOOLEAN' | 'TIMESTAMP' | 'INT64', data: unknown[]) => ({
    name,
    type,
    data,
  });
  return Buffer.from(
    parquetWriteBuffer({
      rowGroupSize: groupRows,
      columnData: [
        column(
          'bucket',
          'STRING',
          rows.map(() => source),
        ),
        column(
          'key',
          'STRING',
          rows.map(({ key }) => key),
        ),
        ...(versions
          ? [
              column(
                'version_id',
                'STRING',
                rows.map(() => 'v1'),
              ),
              column(
                'is_latest',
                'BOOLEAN',
                rows.map(({ isLatest = true }) => isLatest),
              ),
              column(
                'is_delete_marker',
                'BOOLEAN',
                rows.map(({ isDeleteMarker = false }) => isDeleteMarker),
              ),
            ]
          : []),
        column(
          'size',
          'INT64',
          rows.map(() => 1_000n),
        ),
        column(
          'last_modified_date',
          'TIMESTAMP',
          rows.map(({ lastModified }) => lastModified),
        ),
        column(
          'e_tag',
          'STRING',
          rows.map(({ etag }) => etag),
        ),
      ],
    }),
  );
}

/** Puts an inventory where S3 puts one. @returns key of its manifest */
export async function putInventory(
  store: Pick<Store, 'putBytes'>,
  rows: readonly Listed[],
  options: InventoryOptions = {},
): Promise<string> {
  const { format = 'CSV', source = 'custody', prefix = '', config = 'daily', files = 1 } = options;
  const { versions = false, groupRows = 1_000, spoil = (bytes) => bytes } = options;
  const createdAt = options.createdAt ?? new Date(Date.now() - 60 * 60_000);
  const base = `${prefix}${source}/${config}`;
  const date = `${createdAt.toISOString().slice(0, 16).replace(':', '-')}Z`;
  const listed: { key: string; size: number; MD5checksum: string }[] = [];
  for (let n = 0; n < files; n += 1) {
    const part = rows.filter((_row, at) => at % files === n);
    const bytes =
      format === 'CSV' ? csvOf(part, source, versions) : parquetOf(part, source, versions, groupRows);
    const key = `${base}/data/${date}-${n}.${format === 'CSV' ? 'csv.gz' : 'parquet'}`;
    listed.push({ key, size: bytes.length, MD5checksum: md5(bytes) });
    await store.putBytes(key, spoil(bytes));
  }
  const manifest = {
    sourceBucket: source,
    destinationBucket: 'arn:aws:s3:::inventories',
    version: '2016-11-30',
    creationTimestamp: String(createdAt.getTime()),
    fileFormat: format,
    fileSchema: format === 'CSV' ? csvNames(versions) : parquetNames(versions),
    files: listed,
  };
  const bytes = Buffer.from(JSON.stringify(options.change?.(manifest) ?? manifest));
  const key = `${base}/${date}/manifest.json`;
  await store.putBytes(key, bytes);
  if (options.checksum !== false)
    await store.putBytes(
      `${base}/${date}/manifest.checksum`,
      Buffer.from(options.checksum ?? `${md5(bytes)}\n`),
    );
  return key;
}
