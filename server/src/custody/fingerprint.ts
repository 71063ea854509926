import { createHash } from 'node:crypto';

const fingerprintDigits = 16;

/** Of at least 32 random bytes, or of a public key: the secret cannot be found from it. */
export function fingerprint(what: string, secret: Uint8Array): string {
  return createHash('sha256')
    .update(`flex-custody ${what}\0`)
    .update(secret)
    .digest('hex')
    .slice(0, fingerprintDigits);
}
