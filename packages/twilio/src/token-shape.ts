import { jsonFields } from '@flex-custody/core';

/** With room for what Flex may add: today's have some 6 kB. */
const longest = 65_536;
/** Padding is not of the format, and harmless. */
const part = /^[A-Za-z0-9_-]+={0,2}$/;

/**
 * Whether a text has the shape of a Flex token: a compact JWE (RFC 7516, section 7.1), as Flex Insights sends it, or a signed
 * JWT (RFC 7519), which the SDKs inside Flex take apart. Five parts in base64url, of which the encrypted key alone may be
 * empty, or three; the first is a JSON object that names `alg`, and `enc` too where it is encrypted.
 */
export function looksLikeFlexToken(text: string): boolean {
  if (text.length > longest) return false;
  const parts = text.split('.');
  const isEncrypted = parts.length === 5;
  if (!isEncrypted && parts.length !== 3) return false;
  const isKey = (index: number) => isEncrypted && index === 1;
  if (!parts.every((one, index) => part.test(one) || (isKey(index) && one === ''))) return false;
  const { alg, enc } = jsonFields(Buffer.from(parts[0] ?? '', 'base64url').toString());
  return typeof alg === 'string' && (!isEncrypted || typeof enc === 'string');
}
