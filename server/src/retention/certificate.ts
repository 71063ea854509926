import { type AccountSid, CustodyError, type RecordingSid } from '@flex-custody/core';
import { compactVerify, importJWK, type JWK } from 'jose';

/** What the signed text of a certificate says it is. */
export const certificateType = 'erasure+jws';

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

/**
 * As anybody does who has the public half of the key.
 * @throws CustodyError `certificate_invalid`
 */
export async function verifyCertificate(jws: string, jwk: JWK): Promise<Certificate> {
  try {
    const { payload, protectedHeader } = await compactVerify(jws.trim(), await importJWK(jwk, 'EdDSA'), {
      algorithms: ['EdDSA'],
    });
    if (protectedHeader.typ !== certificateType) throw new Error('another type');
    return JSON.parse(Buffer.from(payload).toString('utf8')) as Certificate;
  } catch (cause) {
    throw new CustodyError('certificate_invalid', 'it was not signed by this key, or was altered since', {
      cause,
    });
  }
}
