import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type AccountSid, CustodyError, type RecordingSid } from '@flex-custody/core';
import { CompactSign, calculateJwkThumbprint, compactVerify, exportJWK, type JWK } from 'jose';
import { systemCode } from '../config/system-code.ts';

const typ = 'erasure+jws';

/** What went of one recording, and when. SIDs only: a certificate outlives what it is about. */
export interface ErasedRecording {
  recording: RecordingSid;
  /** Versions of objects that were removed from the bucket. */
  versions: number;
  /** Whether Twilio deleted its copy, or had it no longer. */
  twilio: 'deleted' | 'gone';
  /** ISO 8601. */
  at: string;
}

/** What a certificate says. */
export interface Certificate {
  /** The account. */
  iss: AccountSid;
  /** UUID. */
  jti: string;
  /** Epoch seconds. */
  iat: number;
  /** An operator asked for it, or its time was over. */
  reason: 'erasure' | 'retention';
  /** What the operator wrote. */
  reference?: string;
  /** SHA-256 of the policy file, or `none`. */
  policy: string;
  recordings: readonly ErasedRecording[];
}

export interface Signer {
  sign(certificate: Certificate): Promise<string>;
  /** For whoever is to verify. */
  publicJwk(): Promise<JWK>;
}

/** @throws CustodyError `certificate_key` that says the next step */
export function loadSigner(file: string): Signer {
  let key: KeyObject;
  try {
    key = createPrivateKey(readFileSync(file, 'utf8'));
  } catch (error) {
    const code = systemCode(error);
    throw new CustodyError(
      'certificate_key',
      code === 'ENOENT'
        ? `there is no key to sign certificates of erasure with (${file}): \`flex-custody setup\` makes one`
        : `the key for certificates cannot be read (${code || 'it is no private key in PEM'}): see CUSTODY_CERTIFICATE_KEY_FILE`,
    );
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new CustodyError(
      'certificate_key',
      `the key for certificates must be Ed25519, and is ${key.asymmetricKeyType}`,
    );
  }
  const publicJwk = async (): Promise<JWK> => {
    const jwk = await exportJWK(createPublicKey(key));
    return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'EdDSA', use: 'sig' };
  };
  return {
    publicJwk,
    async sign(certificate) {
      const { kid = '' } = await publicJwk();
      return new CompactSign(Buffer.from(JSON.stringify(certificate)))
        .setProtectedHeader({ alg: 'EdDSA', typ, kid })
        .sign(key);
    },
  };
}

/** Makes the key where there is none. @returns false where there is one */
export function makeCertificateKey(file: string): boolean {
  const { privateKey } = generateKeyPairSync('ed25519');
  mkdirSync(dirname(file), { recursive: true });
  try {
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST') return false;
    throw new CustodyError('certificate_key', `${file} cannot be written (${systemCode(cause)})`, { cause });
  }
}

/** @throws CustodyError `certificate_invalid` */
export async function verifyCertificate(jws: string, jwk: JWK): Promise<Certificate> {
  try {
    const { importJWK } = await import('jose');
    const { payload, protectedHeader } = await compactVerify(jws.trim(), await importJWK(jwk, 'EdDSA'), {
      algorithms: ['EdDSA'],
    });
    if (protectedHeader.typ !== typ) throw new Error('another type');
    return JSON.parse(Buffer.from(payload).toString('utf8')) as Certificate;
  } catch (cause) {
    throw new CustodyError('certificate_invalid', 'it was not signed by this key, or was altered since', {
      cause,
    });
  }
}
