import { fingerprint } from './fingerprint.ts';

/** Fingerprint of a caller secret, to which the database is bound. @param secret base64 */
export const callerFingerprint = (secret: string): string =>
  fingerprint('caller secret', Buffer.from(secret, 'base64'));

const idDigits = 8;

/**
 * The prefix of each digest of this secret: `k` and the first eight digits of its fingerprint. It shows under which secret a
 * digest was made, since digests of different secrets cannot be compared.
 */
export const callerKeyId = (secret: string): string => `k${callerFingerprint(secret).slice(0, idDigits)}`;
