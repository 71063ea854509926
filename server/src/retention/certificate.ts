import { type AccountSid, CustodyError, type RecordingSid } from '@flex-custody/core';
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose';
import { z } from 'zod';
import type { ErasureReason, ShortSession } from '../catalog/recording-row.ts';
import type { KeptVersions } from './remove.ts';

/** `typ` of a certificate's signed text. */
export const certificateType = 'erasure+jws';

/** What was removed of one recording, and when. SIDs only, because a certificate outlives the recording. */
export interface ErasedRecording {
  recording: RecordingSid;
  /** Versions of objects that were removed from the bucket. */
  versions: number;
  /**
   * Absent if the bucket listed versions and all were removed. `none`: the bucket keeps no versions, so the object was
   * the only one; `unknown`: the store cannot list versions, so older ones may exist.
   */
  keptVersions?: KeptVersions;
  /** Whether Twilio deleted the original, or no longer had it. */
  twilio: 'deleted' | 'gone';
  /** ISO 8601. */
  at: string;
  /** The call that was too short, with the reason `short-session`. */
  session?: ShortSession;
}

/** The content of a certificate. */
export interface Certificate {
  /** The account. */
  iss: AccountSid;
  /** UUID. */
  jti: string;
  /** Epoch seconds. */
  iat: number;
  reason: ErasureReason;
  /** What the operator wrote. */
  reference?: string;
  /** SHA-256 of the policy in force at the decision, `none`, or `unknown` if an earlier release began the erasure. */
  policy: string;
  recordings: readonly ErasedRecording[];
}

const session = z.looseObject({
  id: z.string().min(1).max(512),
  connectedAt: z.iso.datetime(),
  closedAt: z.iso.datetime(),
  seconds: z.number().min(0),
  minimumSeconds: z.int().positive(),
  settings: z.int().min(0),
});

/** Members that a newer release adds are accepted: they are signed too. */
const shape = z.looseObject({
  iss: z.string().regex(/^AC[0-9a-f]{32}$/),
  jti: z.uuid(),
  iat: z.int().positive(),
  reason: z.enum(['erasure', 'retention', 'short-session']),
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
        session: session.optional(),
      }),
    )
    .min(1),
});

/**
 * Reads the text of a certificate whose signature is verified.
 * @throws CustodyError `certificate_invalid`, whose message names the faulty member, without its value
 */
export function readCertificate(payload: string): Certificate {
  let json: unknown;
  try {
    json = JSON.parse(payload);
  } catch {
    throw invalid('the signed text is no certificate: it is not JSON');
  }
  const { data, error } = shape.safeParse(json);
  if (data) return data as unknown as Certificate;
  const at = error.issues[0]?.path.join('.') || 'the whole';
  throw invalid(`the signed text is no certificate: ${at} is missing or malformed`);
}

/**
 * The id of the key that a signed text names; nothing of it is verified.
 * @throws CustodyError `certificate_invalid` if the text is no certificate
 */
export function namedKey(jws: string): string {
  let header: ReturnType<typeof decodeProtectedHeader>;
  try {
    header = decodeProtectedHeader(jws.trim());
  } catch (cause) {
    throw invalid('the text is not signed', cause);
  }
  if (header.typ !== certificateType) throw invalid('the signed text is not a certificate');
  // Only the form of our key ids is accepted: the id comes from outside, and is printed.
  if (header.kid === undefined || !/^[\w.-]{1,100}$/.test(header.kid))
    throw invalid('the text names no valid key id');
  return header.kid;
}

/**
 * Verifies a certificate with the public half of the key alone.
 * @throws CustodyError `certificate_invalid`, or `certificate_key` if it names another key
 */
export async function verifyCertificate(jws: string, jwk: JWK): Promise<Certificate> {
  const named = namedKey(jws);
  const thumbprint = await calculateJwkThumbprint(jwk).catch(() => undefined);
  // A JWK without `kid` is accepted: then the signature alone shows which key signed.
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
    throw invalid('the text was changed after it was signed, or another key with this id signed it', cause);
  }
}

const invalid = (why: string, cause?: unknown) => new CustodyError('certificate_invalid', why, { cause });
