import { sign } from 'node:crypto';
import { CustodyError } from '@flex-custody/core';
import { compactVerify, decodeProtectedHeader, exportJWK, type JWK } from 'jose';
import { type SigningKey, signingKeyError } from './key-file.ts';

/**
 * Signs texts of the hosts of one custody. All hosts share it; Functions never have it.
 */
export interface SigningIdentity {
  /** Id of the key that signs. */
  keyId: string;
  /** Ids of all keys that verify, the signing one first. */
  keyIds: readonly string[];
  /** Thumbprints (RFC 7638) of the same keys in the same order: a key keeps its thumbprint when its name changes. */
  thumbprints: readonly string[];
  /** Whether this id names one of the keys, by its name, or by its thumbprint, which is the id of a key without a name. */
  lists(keyId: string): boolean;
  /** A compact JWS with the header {alg, typ, kid}. */
  sign(typ: string, payload: string | Uint8Array): Promise<string>;
  /**
   * @param typ type that the text must have, so that one kind is never taken for another
   * @returns the signed payload, and the key's id as it is listed now
   * @throws CustodyError `signature_untrusted`
   */
  verify(typ: string, jws: string): Promise<{ payload: string; keyId: string }>;
  /** The public keys with which others verify, the signing one first. */
  publicJwks(): Promise<JWK[]>;
}

/** @param keys newest first. @throws CustodyError `signing_key` */
export function createSigning(keys: readonly SigningKey[]): SigningIdentity {
  const [signing] = keys;
  if (!signing) throw signingKeyError('no signing key is given');
  const { privateKey } = signing;
  if (!privateKey)
    throw signingKeyError('the first signing key must be a private one: the public ones follow it');
  const ids = keys.map(({ keyId }) => keyId);
  if (new Set(ids).size !== ids.length)
    throw signingKeyError(`two signing keys have the same id (${ids.join(', ')})`);
  const names = (key: SigningKey, keyId: string | undefined) =>
    key.keyId === keyId || key.thumbprint === keyId;
  return {
    keyId: signing.keyId,
    keyIds: ids,
    thumbprints: keys.map(({ thumbprint }) => thumbprint),
    lists: (keyId) => keys.some((key) => names(key, keyId)),
    // With Node's own API: each sidecar has a signature, and WebCrypto takes four times as long.
    async sign(typ, payload) {
      const header = JSON.stringify({ alg: 'EdDSA', typ, kid: signing.keyId });
      const text = `${base64url(header)}.${base64url(payload)}`;
      return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
    },
    async verify(typ, jws) {
      const header = headerOf(jws);
      if (header.typ !== typ) throw untrusted('it was signed as another type');
      // A key may have been renamed since: the named key is tried first, then the others.
      const likely = [...keys].sort((a, b) => Number(names(b, header.kid)) - Number(names(a, header.kid)));
      for (const { keyId, publicKey } of likely) {
        const verified = await compactVerify(jws, publicKey, { algorithms: ['EdDSA'] }).catch(
          () => undefined,
        );
        if (verified) return { payload: Buffer.from(verified.payload).toString('utf8'), keyId };
      }
      throw untrusted('none of the listed keys signed it, or it was altered since');
    },
    publicJwks: () =>
      Promise.all(
        keys.map(async ({ keyId, publicKey }) => ({
          ...(await exportJWK(publicKey)),
          kid: keyId,
          alg: 'EdDSA',
          use: 'sig',
        })),
      ),
  };
}

const base64url = (of: string | Uint8Array): string =>
  (typeof of === 'string' ? Buffer.from(of) : Buffer.from(of.buffer, of.byteOffset, of.byteLength)).toString(
    'base64url',
  );

function headerOf(jws: string) {
  try {
    return decodeProtectedHeader(jws);
  } catch (cause) {
    throw untrusted('it is not a signed text', cause);
  }
}

const untrusted = (why: string, cause?: unknown) => new CustodyError('signature_untrusted', why, { cause });
