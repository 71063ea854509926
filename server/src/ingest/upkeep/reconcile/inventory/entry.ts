/** One object as an inventory lists it. */
export interface Entry {
  key: string;
  /** With quotes, as in S3's other answers. */
  etag: string;
  lastModified: Date;
}

/** The values of one row in any format; booleans may be text. */
export interface Values {
  key: unknown;
  etag: unknown;
  lastModified: unknown;
  isLatest?: unknown;
  isDeleteMarker?: unknown;
}

/** Undefined if the row is not the current version of an object, or has no time. */
export function entryOf(values: Values): Entry | undefined {
  const { key, etag, isLatest, isDeleteMarker } = values;
  if (typeof key !== 'string' || isFalse(isLatest) || isTrue(isDeleteMarker)) return undefined;
  const lastModified = timeOf(values.lastModified);
  if (!lastModified) return undefined;
  return { key, etag: typeof etag === 'string' ? `"${etag.replaceAll('"', '')}"` : '""', lastModified };
}

const isTrue = (value: unknown) => value === true || value === 'true';
const isFalse = (value: unknown) => value === false || value === 'false';

function timeOf(value: unknown): Date | undefined {
  const time =
    value instanceof Date
      ? value
      : typeof value === 'string'
        ? new Date(value)
        : typeof value === 'bigint' || typeof value === 'number'
          ? new Date(Number(value))
          : undefined;
  return time && !Number.isNaN(time.getTime()) ? time : undefined;
}
