import { sign } from 'node:crypto';
import { CustodyError } from '@flex-custody/core';
import { compactVerify, decodeProtectedHeader, exportJWK, type JWK } from 'jose';
import { type SigningKey, signingKeyError } from './key-file.ts';

/**
 * By which the hosts of one custody show that a text is theirs. All hosts share it; Functions never hold it.
 */
export interface SigningIdentity {
  /** Of the key that signs. */
  keyId: string;
  /** Of all keys that verify, the signing one first. */
  keyIds: readonly string[];
  /** RFC 7638, of the same keys in the same order: a key keeps it, whatever it is called. */
  thumbprints: readonly string[];
  /** Whether this id names one of the keys: by its name, or by its thumbprint, as it was called before it had a name. */
  lists(keyId: string): boolean;
  /** A compact JWS with the header {alg, typ, kid}. */
  sign(typ: string, payload: string | Uint8Array): Promise<string>;
  /**
   * @param typ that the text must be of, so that one kind never passes for another
   * @returns what was signed, and the key's id as it is listed now
   * @throws CustodyError `signature_untrusted`
   */
  verify(typ: string, jws: string): Promise<{ payload: string; keyId: string }>;
  /** The public halves, the signing one first: what others verify by. */
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
    // By Node itself: each sidecar has a signature, and by way of WebCrypto it takes four times as long.
    async sign(typ, payload) {
      const header = JSON.stringify({ alg: 'EdDSA', typ, kid: signing.keyId });
      const text = `${base64url(header)}.${base64url(payload)}`;
      return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
    },
    async verify(typ, jws) {
      const header = headerOf(jws);
      if (header.typ !== typ) throw untrusted('it was signed as something else');
      // A key may have another name by now: the one that is named is tried first, not alone.
      const likely = [...keys].sort((a, b) => Number(names(b, header.kid)) - Number(names(a, header.kid)));
      for (const { keyId, publicKey } of likely) {
        const verified = await compactVerify(jws, publicKey, { algorithms: ['EdDSA'] }).catch(
          () => undefined,
        );
        if (verified) return { payload: Buffer.from(verified.payload).toString('utf8'), keyId };
      }
      throw untrusted('no key that is listed here has signed it, or it was altered since');
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
    throw untrusted('it is no signed text', cause);
  }
}

const untrusted = (why: string, cause?: unknown) => new CustodyError('signature_untrusted', why, { cause });
