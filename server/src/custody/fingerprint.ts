import { createHash } from 'node:crypto';

const fingerprintDigits = 16;

/** @param secret at least 32 random bytes, or a public key, so that it cannot be found from the fingerprint */
export function fingerprint(what: string, secret: Uint8Array): string {
  return createHash('sha256')
    .update(`flex-custody ${what}\0`)
    .update(secret)
    .digest('hex')
    .slice(0, fingerprintDigits);
}
