import { randomUUID } from 'node:crypto';
import { asRecordingSid, CustodyError, type RecordingSid } from '@flex-custody/core';
import { errors, jwtVerify, SignJWT } from 'jose';

/** Where a link's bytes come from: the sealed copy, or Twilio while there is none. */
export type MediaOrigin = 'vault' | 'twilio';

/** What a link is bound to. */
export interface MediaClaims {
  /** Identity the link was issued to. */
  viewer: string;
  recordingSid: RecordingSid;
  origin: MediaOrigin;
  /** Version or ETag of the object; always set for `vault`. */
  version?: string;
  channels: 1 | 2;
}

export interface MediaLinks {
  readonly ttlSeconds: number;
  /** The absolute URL of the recording's media. */
  issue(claims: MediaClaims): Promise<string>;
  /** @throws CustodyError `link_missing` (401), `link_expired` or `link_invalid` (403) */
  verify(token: string | undefined, recordingSid: RecordingSid): Promise<MediaClaims & { id: string }>;
}

export interface MediaLinkOptions {
  /** At least 32 bytes. */
  secret: Uint8Array;
  /** Without a slash at its end. */
  publicUrl: string;
  /** At most 900. */
  ttlSeconds: number;
  /** Epoch ms. */
  now?: () => number;
}

export const linkIssuer = 'flex-custody';
const typ = 'rec-media+jwt';
const audience = 'media';
const longestSeconds = 900;

/** The error for a token in a URL, for both kinds of link. */
export function linkError(error: unknown): CustodyError {
  if (error instanceof CustodyError) return error;
  if (error instanceof errors.JWTExpired) {
    return new CustodyError('link_expired', 'the link has expired');
  }
  return new CustodyError('link_invalid', 'this host did not issue the link', { cause: error });
}

export function linkMissing(): CustodyError {
  return new CustodyError('link_missing', 'the link has no token');
}

/**
 * Short-lived links to one recording. A link works any number of times until it expires, since a player sends one request each
 * for the start, the whole, and every position. The Flex player reads `X-Amz-Expires`, and no other parameter, to learn
 * when it needs a new link.
 */
export function createMediaLinks(options: MediaLinkOptions): MediaLinks {
  const { secret, publicUrl, ttlSeconds } = options;
  const now = options.now ?? Date.now;
  if (ttlSeconds > longestSeconds) {
    throw new CustodyError('config_invalid', `media links are valid for at most ${longestSeconds} seconds`);
  }
  return {
    ttlSeconds,
    async issue({ viewer, recordingSid, origin, version, channels }) {
      const at = Math.floor(now() / 1000);
      const token = await new SignJWT({
        rec: recordingSid,
        src: origin,
        ch: channels,
        ...(version && { v: version }),
      })
        .setProtectedHeader({ alg: 'HS256', typ })
        .setIssuer(linkIssuer)
        .setAudience(audience)
        .setSubject(viewer)
        .setIssuedAt(at)
        .setExpirationTime(at + ttlSeconds)
        .setJti(randomUUID())
        .sign(secret);
      return `${publicUrl}/media/${recordingSid}.wav?token=${token}&X-Amz-Expires=${ttlSeconds}`;
    },
    async verify(token, recordingSid) {
      if (!token) throw linkMissing();
      try {
        const { payload } = await jwtVerify(token, secret, {
          algorithms: ['HS256'],
          typ,
          issuer: linkIssuer,
          audience,
          requiredClaims: ['sub', 'rec', 'src', 'ch', 'exp', 'iat', 'jti'],
          // Limits also a token that was signed with a later expiry.
          maxTokenAge: longestSeconds,
          currentDate: new Date(now()),
        });
        return claimsOf(payload, recordingSid);
      } catch (error) {
        throw linkError(error);
      }
    },
  };
}

function claimsOf(
  payload: Record<string, unknown>,
  recordingSid: RecordingSid,
): MediaClaims & { id: string } {
  const { sub, rec, src, ch, v, jti } = payload;
  const origin = src === 'vault' || src === 'twilio' ? src : undefined;
  const channels = ch === 1 || ch === 2 ? ch : undefined;
  const pinned = origin === 'twilio' || typeof v === 'string';
  if (
    asRecordingSid(rec) !== recordingSid ||
    typeof sub !== 'string' ||
    typeof jti !== 'string' ||
    !origin ||
    !channels ||
    !pinned
  ) {
    throw new CustodyError('link_invalid', 'the link is for another recording or purpose');
  }
  return {
    id: jti,
    viewer: sub,
    recordingSid,
    origin,
    channels,
    ...(typeof v === 'string' && { version: v }),
  };
}
