import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import type { KeyringNode } from '@aws-crypto/material-management-node';
import { RawRsaKeyringNode } from '@aws-crypto/raw-rsa-keyring-node';
import { CustodyError } from '@flex-custody/core';

const MIN_MODULUS_BITS = 2048;

/**
 * An id for an RSA key that has no name of its own: the same for a private key and its public half, so that a writer
 * with the one and a reader with the other agree without configuration.
 */
export function rsaKeyId(key: KeyObject): string {
  const spki = (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });
  return `rsa-${createHash('sha256').update(spki).digest('hex').slice(0, 16)}`;
}

/** Wrapping by RSA-OAEP with SHA-256; seals with the public half alone. */
export function rsaKeyring(namespace: string, keyId: string, key: KeyObject): KeyringNode {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  // As objects: from PEM, OpenSSL would parse the key for each recording, which takes longer than using it. The
  // keyring hands them to node:crypto as they are; only its types name the texts alone.
  const rsaKey = { publicKey, ...(key.type === 'private' && { privateKey: key }) } as unknown as {
    publicKey: string;
    privateKey?: string;
  };
  return new RawRsaKeyringNode({ keyNamespace: namespace, keyName: keyId, rsaKey, oaepHash: 'sha256' });
}

export function readSpki(keyId: string, spki: string): KeyObject {
  const text = spki.replace(/\s/g, '');
  return checked(keyId, () => {
    // Node leaves out what is no base64, and OpenSSL what is behind the key: either would hide a damage.
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw new Error('not base64');
    const key = createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
    const { length } = key.export({ type: 'spki', format: 'der' });
    if (length !== Buffer.from(text, 'base64').length) throw new Error('more than one key');
    return key;
  });
}

/** A private or public key in PEM. */
export function readPem(keyId: string, pem: string): KeyObject {
  if (/ENCRYPTED/.test(pem)) {
    throw new CustodyError(
      'key_invalid',
      `RSA key ${keyId} is locked by a passphrase: store it unlocked (openssl pkey -in … -out …) where only the host reads it`,
    );
  }
  const key = checked(keyId, () => (/PRIVATE KEY/.test(pem) ? createPrivateKey(pem) : createPublicKey(pem)));
  if (key.type === 'private' && !opensItsOwn(key)) {
    throw new CustodyError(
      'key_invalid',
      `RSA key ${keyId} does not open what its own public half seals: it is damaged; restore it from the backup of the keys`,
    );
  }
  return key;
}

/** OpenSSL reads a private key without a look at whether its numbers belong together. */
function opensItsOwn(key: KeyObject): boolean {
  const text = randomBytes(16);
  const how = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  try {
    return privateDecrypt({ key, ...how }, publicEncrypt({ key: createPublicKey(key), ...how }, text)).equals(
      text,
    );
  } catch {
    return false;
  }
}

function checked(keyId: string, read: () => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch (cause) {
    throw new CustodyError('key_invalid', `RSA key ${keyId} is not readable as PEM or base64 SPKI DER`, {
      cause,
    });
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < MIN_MODULUS_BITS) {
    throw new CustodyError(
      'key_invalid',
      `key ${keyId} must be an RSA key of at least ${MIN_MODULUS_BITS} bits (it is ${key.asymmetricKeyType} ${bits})`,
    );
  }
  return key;
}
