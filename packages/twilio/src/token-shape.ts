/** With room for what Flex may add: today's have some 6 kB. */
const longest = 65_536;
/** Padding is not of the format, and harmless. */
const part = /^[A-Za-z0-9_-]+={0,2}$/;

/**
 * Whether a text is a compact JWE (RFC 7516, section 7.1), as every Flex token is: five parts in base64url, the first of
 * them a JSON object that names `alg` and `enc`. The encrypted key alone may be empty, as with `alg: dir`.
 */
export function looksLikeFlexToken(text: string): boolean {
  if (text.length > longest) return false;
  const [head = '', key = '', ...rest] = text.split('.');
  if (rest.length !== 3 || ![head, ...rest].every((one) => part.test(one))) return false;
  if (key !== '' && !part.test(key)) return false;
  try {
    const header: unknown = JSON.parse(Buffer.from(head, 'base64url').toString());
    const { alg, enc } = (header ?? {}) as { alg?: unknown; enc?: unknown };
    return typeof alg === 'string' && typeof enc === 'string';
  } catch {
    return false;
  }
}
