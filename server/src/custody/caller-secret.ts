import { fingerprint } from './fingerprint.ts';

/** Of a caller secret, as the database is bound to it. @param secret base64 */
export const callerFingerprint = (secret: string): string =>
  fingerprint('caller secret', Buffer.from(secret, 'base64'));

const idDigits = 8;

/**
 * What stands before each digest that this secret made: `k` and the first eight digits of its fingerprint. Digests of two
 * secrets are told apart by it: one under another secret says nothing of whose call it was.
 */
export const callerKeyId = (secret: string): string => `k${callerFingerprint(secret).slice(0, idDigits)}`;
