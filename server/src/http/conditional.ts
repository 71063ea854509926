import type { IncomingHttpHeaders } from 'node:http';

/**
 * Conditional requests (RFC 9110, section 13), each question under the name the protocol gives it. Recordings carry no
 * modification date, so conditions on dates are ignored, as the RFC demands where there is none.
 * `etag` is the representation's entity tag, quotes included, or undefined where it has none.
 */

const listed = (header: string): string[] => header.match(/(?:W\/)?"[^"]*"/g) ?? [];
const isWeak = (tag: string): boolean => tag.startsWith('W/');
const opaque = (tag: string): string => (isWeak(tag) ? tag.slice(2) : tag);

/** Strong comparison: both strong, and equal (8.8.3.2). */
const matchesStrongly = (a: string, b: string): boolean => !isWeak(a) && a === b;
const matchesWeakly = (a: string, b: string): boolean => opaque(a) === opaque(b);

/** If-Match is present and no listed tag matches strongly: 412 (13.1.1). */
export function isPreconditionFailure(headers: IncomingHttpHeaders, etag: string | undefined): boolean {
  const ifMatch = headers['if-match'];
  if (ifMatch === undefined || ifMatch.trim() === '*') return false;
  return etag === undefined || !listed(ifMatch).some((tag) => matchesStrongly(tag, etag));
}

/** If-None-Match is present and a listed tag matches: 304 for GET and HEAD (13.1.2). */
export function isNotModified(headers: IncomingHttpHeaders, etag: string | undefined): boolean {
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return etag !== undefined && listed(ifNoneMatch).some((tag) => matchesWeakly(tag, etag));
}

/** The Range may be honoured: no If-Range, or one that names this very representation (13.1.5). */
export function isRangeFresh(headers: IncomingHttpHeaders, etag: string | undefined): boolean {
  const ifRange = headers['if-range'];
  if (ifRange === undefined) return true;
  return etag !== undefined && typeof ifRange === 'string' && matchesStrongly(ifRange.trim(), etag);
}
