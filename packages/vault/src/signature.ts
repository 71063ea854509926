import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Clocks may differ, and a captured request may be repeated, by at most this much. */
const TOLERANCE_SECONDS = 300;
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
  const t = String(Math.floor(nowMs / 1000));
  return `t=${t},v1=${digest(secret, t, method, path, body).toString('hex')}`;
}

/** True when one of the secrets (two, while they are rotated) signed exactly this request within ± 300 s. */
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
  if (Math.abs(nowMs / 1000 - Number(t)) > TOLERANCE_SECONDS) return false;
  const given = Buffer.from(signature, 'hex');
  // Every secret is tried, so that the time taken does not tell which one fitted.
  const fits = secrets.map((secret) => timingSafeEqual(given, digest(secret, t, method, path, body)));
  return fits.includes(true);
}

function digest(secret: string, t: string, method: string, path: string, body: string): Buffer {
  const bodyHash = createHash('sha256').update(body).digest('hex');
  return createHmac('sha256', secret).update(`${t}.${method}.${path}.${bodyHash}`).digest();
}
