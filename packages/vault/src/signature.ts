import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** A request may be so old; a captured one may be repeated for as long. */
const TOLERANCE_SECONDS = 300;
/** How far a sender's clock may be ahead. A signature for a later time could be repeated for longer. */
const AHEAD_SECONDS = 60;
const HEADER = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/;

/**
 * Value of the header `X-Custody-Signature` for a request between our own machines: `t=<epoch seconds>,v1=<hex>`, the
 * HMAC-SHA256 of `t.method.path.sha256(body)`. `path` includes the query.
 */
export function signRequest(
  secret: string,
  method: string,
  path: string,
  body: string,
  nowMs: number,
): string {
  const t = secondsOf(nowMs);
  return `t=${t},v1=${digest(secret, t, method, path, body).toString('hex')}`;
}

/**
 * The same for a request to a receiver that is not ours: the HMAC-SHA256 of `t.body`, with one `v1` for each secret, so that
 * a receiver accepts either of two while they are rotated.
 */
export function signBody(secrets: readonly string[], body: string, nowMs: number): string {
  const t = secondsOf(nowMs);
  return [`t=${t}`, ...secrets.map((secret) => `v1=${hmac(secret, `${t}.${body}`).toString('hex')}`)].join();
}

/**
 * True when one of the secrets (two, while they are rotated) signed exactly this request in the last 300 s, or by a clock
 * at most 60 s ahead.
 */
export function verifyRequest(
  secrets: readonly string[],
  header: string | undefined,
  method: string,
  path: string,
  body: string,
  nowMs: number,
): boolean {
  const [, t, signature] = HEADER.exec(header ?? '') ?? [];
  if (t === undefined || signature === undefined) return false;
  const age = nowMs / 1000 - Number(t);
  if (age > TOLERANCE_SECONDS || age < -AHEAD_SECONDS) return false;
  const given = Buffer.from(signature, 'hex');
  // Every secret is tried, so that the time taken does not tell which one fitted.
  const fits = secrets.map((secret) => timingSafeEqual(given, digest(secret, t, method, path, body)));
  return fits.includes(true);
}

const secondsOf = (ms: number): string => String(Math.floor(ms / 1000));
const hmac = (secret: string, text: string): Buffer => createHmac('sha256', secret).update(text).digest();

function digest(secret: string, t: string, method: string, path: string, body: string): Buffer {
  const bodyHash = createHash('sha256').update(body).digest('hex');
  return hmac(secret, `${t}.${method}.${path}.${bodyHash}`);
}
