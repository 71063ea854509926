import { randomBytes } from 'node:crypto';

/** A fresh identifier as Twilio would give it: two letters and 32 hexadecimal digits. */
export function newSid(prefix: string): string {
  return prefix + randomBytes(16).toString('hex');
}

/** Flex identities keep letters and digits; everything else becomes `_` and its code in upper-case hexadecimal. */
export function flexIdentity(name: string): string {
  return [...Buffer.from(name, 'utf8')]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9]/.test(character)
        ? character
        : `_${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}
