import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { CustodyError } from '@flex-custody/core';
import { isKeyId, readKeyLines } from '@flex-custody/vault';

/** One key of the signing identity. */
export interface SigningKey {
  /** The name from the line before the key, or the thumbprint. */
  keyId: string;
  /** RFC 7638, SHA-256, base64url: the same for a private key and its public half, whatever its name. */
  thumbprint: string;
  publicKey: KeyObject;
  /** Absent for a key that only verifies. */
  privateKey?: KeyObject;
}

export const signingKeyError = (why: string, cause?: unknown): CustodyError =>
  new CustodyError('signing_key', why, { cause });

/**
 * Reads a key file: Ed25519 keys in PEM, newest first, private ones (PKCS8) to sign and verify by, public ones (SPKI) to
 * verify by. As in the key files of recordings, a line `# key id: NAME` before a key names it.
 * @param where for messages: the file, or the variable
 * @throws CustodyError `signing_key`, which names the place and never its content
 */
export function readSigningKeys(text: string, where: string): SigningKey[] {
  const keys = linesOf(text, where).map((one) => {
    if (one.kind === 'pem') return readKey(one.pem, one.name, `on line ${one.line} of ${where}`);
    throw signingKeyError(`line ${one.line} of ${where} is an AES key: signing keys are Ed25519, in PEM`);
  });
  if (keys.length === 0) throw signingKeyError(`${where} holds no key in PEM`);
  return keys;
}

function linesOf(text: string, where: string): ReturnType<typeof readKeyLines> {
  try {
    return readKeyLines(text, where);
  } catch (cause) {
    throw cause instanceof CustodyError ? signingKeyError(cause.message) : cause;
  }
}

/** @param where `on line N of …` */
function readKey(pem: string, name: string | undefined, where: string): SigningKey {
  let key: KeyObject;
  try {
    key = /PRIVATE KEY/.test(pem) ? createPrivateKey(pem) : createPublicKey(pem);
  } catch (cause) {
    throw signingKeyError(`the key ${where} cannot be read as PEM`, cause);
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw signingKeyError(`the key ${where} must be Ed25519, and is ${key.asymmetricKeyType}`);
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const thumbprint = thumbprintOf(publicKey);
  return {
    keyId: name ?? thumbprint,
    thumbprint,
    publicKey,
    ...(key.type === 'private' && { privateKey: key }),
  };
}

/** Source: RFC 7638 section 3, RFC 8037 appendix A.3 */
function thumbprintOf(publicKey: KeyObject): string {
  const { crv, kty, x } = publicKey.export({ format: 'jwk' });
  return createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url');
}

/** The text of a key file with one new key. */
export function newSigningKey(keyId?: string): string {
  if (keyId !== undefined && !isKeyId(keyId))
    throw signingKeyError('a key id has 1 to 100 of A-Z a-z 0-9 . _ - and begins with a letter or digit');
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  return keyId === undefined ? `${pem}` : `# key id: ${keyId}\n${pem}`;
}
