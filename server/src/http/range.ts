/** Bytes of a representation, both ends inclusive. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * The one byte range that a `Range` header asks of a representation of `size` bytes.
 *
 * `undefined` means "ignore the header and send the whole": an unknown unit, a malformed set, or several ranges. A
 * server may ignore Range at any time, and audio players never ask for two ranges at once, so there is no multipart.
 * Source: RFC 9110, sections 14.1.2 and 14.2.
 */
export function parseRange(header: string, size: number): ByteRange | 'unsatisfiable' | undefined {
  const set = /^bytes=(.*)$/i.exec(header.trim())?.[1];
  if (set === undefined) return undefined;
  // A list may hold empty elements (RFC 9110, 5.6.1.2).
  const specs = set
    .split(',')
    .map((spec) => spec.trim())
    .filter((spec) => spec !== '');
  const [only] = specs;
  if (only === undefined || specs.length > 1) return undefined;
  const parts = /^(\d*)-(\d*)$/.exec(only);
  const [first, last] = [parts?.[1] ?? '', parts?.[2] ?? ''];
  if (first === '') return last === '' ? undefined : suffix(Number(last), size);
  const start = Number(first);
  const end = last === '' ? size - 1 : Number(last);
  if (last !== '' && end < start) return undefined;
  return start >= size ? 'unsatisfiable' : { start, end: Math.min(end, size - 1) };
}

function suffix(length: number, size: number): ByteRange | 'unsatisfiable' | undefined {
  if (length === 0) return 'unsatisfiable';
  // Satisfiable by RFC 9110, but no Content-Range can name an empty range.
  if (size === 0) return undefined;
  return { start: Math.max(0, size - length), end: size - 1 };
}

/** `Content-Range` of a 206. */
export function contentRange(range: ByteRange, size: number): string {
  return `bytes ${range.start}-${range.end}/${size}`;
}

/** `Content-Range` of a 416. */
export function unsatisfiedRange(size: number): string {
  return `bytes */${size}`;
}
