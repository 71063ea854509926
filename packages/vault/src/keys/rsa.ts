import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
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
  // As objects: from PEM, OpenSSL would read the key anew for each recording, which takes longer than to use it. The
  // keyring hands them to node:crypto as they are; only its types name the texts alone.
  const rsaKey = { publicKey, ...(key.type === 'private' && { privateKey: key }) } as unknown as {
    publicKey: string;
    privateKey?: string;
  };
  return new RawRsaKeyringNode({ keyNamespace: namespace, keyName: keyId, rsaKey, oaepHash: 'sha256' });
}

export function readSpki(keyId: string, spki: string): KeyObject {
  return checked(keyId, () =>
    createPublicKey({ key: Buffer.from(spki.replace(/\s/g, ''), 'base64'), format: 'der', type: 'spki' }),
  );
}

/** A private or public key in PEM. */
export function readPem(keyId: string, pem: string): KeyObject {
  if (/ENCRYPTED/.test(pem)) {
    throw new CustodyError(
      'key_invalid',
      `RSA key ${keyId} is locked by a passphrase: store it unlocked (openssl pkey -in … -out …) where only the host reads it`,
    );
  }
  return checked(keyId, () => (/PRIVATE KEY/.test(pem) ? createPrivateKey(pem) : createPublicKey(pem)));
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
