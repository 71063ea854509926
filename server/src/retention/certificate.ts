import { type AccountSid, CustodyError, type RecordingSid } from '@flex-custody/core';
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose';
import { z } from 'zod';
import type { KeptVersions } from './remove.ts';

/** What the signed text of a certificate says it is. */
export const certificateType = 'erasure+jws';

/** What went of one recording, and when. SIDs only: a certificate outlives what it is about. */
export interface ErasedRecording {
  recording: RecordingSid;
  /** Versions of objects that were removed from the bucket. */
  versions: number;
  /**
   * Absent where the bucket listed versions, and all went. `none`: it keeps none, and the object was all there was;
   * `unknown`: its store knows no versions, and what it may keep behind the object nobody can say.
   */
  keptVersions?: KeptVersions;
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
  /** SHA-256 of the policy that it was decided by, `none`, or `unknown` of an erasure that an earlier release began. */
  policy: string;
  recordings: readonly ErasedRecording[];
}

/** Members that a newer release adds pass: they are signed, too. */
const shape = z.looseObject({
  iss: z.string().regex(/^AC[0-9a-f]{32}$/),
  jti: z.uuid(),
  iat: z.int().positive(),
  reason: z.enum(['erasure', 'retention']),
  reference: z.string().max(1_000).optional(),
  policy: z.string().regex(/^(none|unknown|[0-9a-f]{64})$/),
  recordings: z
    .array(
      z.looseObject({
        recording: z.string().regex(/^RE[0-9a-f]{32}$/),
        versions: z.int().min(0),
        keptVersions: z.enum(['none', 'unknown']).optional(),
        twilio: z.enum(['deleted', 'gone']),
        at: z.iso.datetime(),
      }),
    )
    .min(1),
});

/**
 * What the signed text says, once its signature was verified.
 * @throws CustodyError `certificate_invalid` that names the member at fault, without its value
 */
export function readCertificate(payload: string): Certificate {
  let json: unknown;
  try {
    json = JSON.parse(payload);
  } catch {
    throw invalid('what was signed is no certificate: no JSON');
  }
  const { data, error } = shape.safeParse(json);
  if (data) return data as unknown as Certificate;
  const at = error.issues[0]?.path.join('.') || 'the whole';
  throw invalid(`what was signed is no certificate: ${at} is missing or malformed`);
}

/**
 * The id of the key that a text says it was signed by; nothing of it is proven.
 * @throws CustodyError `certificate_invalid` where it is no certificate at all
 */
export function namedKey(jws: string): string {
  let header: ReturnType<typeof decodeProtectedHeader>;
  try {
    header = decodeProtectedHeader(jws.trim());
  } catch (cause) {
    throw invalid('it is no signed text', cause);
  }
  if (header.typ !== certificateType) throw invalid('it was signed as something else');
  // As key ids are made: it comes from outside, and is printed.
  if (header.kid === undefined || !/^[\w.-]{1,100}$/.test(header.kid)) throw invalid('it names no key');
  return header.kid;
}

/**
 * As anybody does who has the public half of the key.
 * @throws CustodyError `certificate_invalid`, or `certificate_key` where it names another key
 */
export async function verifyCertificate(jws: string, jwk: JWK): Promise<Certificate> {
  const named = namedKey(jws);
  const thumbprint = await calculateJwkThumbprint(jwk).catch(() => undefined);
  // A JWK that somebody made of the bare key has no name: then the signature alone says which it is.
  const isNamed = jwk.kid === undefined ? undefined : jwk.kid === named || thumbprint === named;
  const otherKey = new CustodyError(
    'certificate_key',
    `it was signed by the key ${named}, and this is ${jwk.kid ?? 'another one'}`,
  );
  if (isNamed === false) throw otherKey;
  try {
    const { payload } = await compactVerify(jws.trim(), await importJWK(jwk, 'EdDSA'), {
      algorithms: ['EdDSA'],
    });
    return readCertificate(Buffer.from(payload).toString('utf8'));
  } catch (cause) {
    if (cause instanceof CustodyError) throw cause;
    if (isNamed === undefined && thumbprint !== named) throw otherKey;
    throw invalid('it was altered since it was signed, or another key of that name signed it', cause);
  }
}

const invalid = (why: string, cause?: unknown) => new CustodyError('certificate_invalid', why, { cause });
