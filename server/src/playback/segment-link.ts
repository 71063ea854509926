import { CustodyError } from '@flex-custody/core';
import { jwtVerify, SignJWT } from 'jose';
import type { RecordingRow } from '../catalog/catalog.ts';
import { linkError, linkIssuer, linkMissing } from './media-link.ts';

type Linked = Pick<RecordingRow, 'recordingSid' | 'segmentGeneration'>;

/**
 * `segment_link` for the older Player, which sends no token of its own: whoever holds the link may listen until it
 * expires or is revoked. Off unless days are configured; turned off, every link issued before stops playing as well.
 */
export interface SegmentLinks {
  readonly enabled: boolean;
  /** The link to write into the task; undefined where the setting is off. */
  segmentLinkFor(row: Linked): Promise<string | undefined>;
  /** @throws CustodyError `link_missing` (401), `link_expired`, `link_revoked` or `link_refused` (403) */
  verify(token: string | undefined, row: Linked): Promise<void>;
}

export interface SegmentLinkOptions {
  /** At least 32 bytes. */
  secret: Uint8Array;
  /** Without a slash at its end. */
  publicUrl: string;
  /** 0 turns the links off; at most 30. */
  days: number;
  /** Epoch ms. */
  now?: () => number;
}

const typ = 'rec-segment+jwt';
const audience = 'segment';
const longestDays = 30;
const secondsADay = 86_400;

export function createSegmentLinks({
  secret,
  publicUrl,
  days,
  now = Date.now,
}: SegmentLinkOptions): SegmentLinks {
  if (days > longestDays) {
    throw new CustodyError('config_invalid', `segment links live at most ${longestDays} days`);
  }
  const enabled = days > 0;
  return {
    enabled,
    async segmentLinkFor({ recordingSid, segmentGeneration }) {
      if (!enabled) return undefined;
      const at = Math.floor(now() / 1000);
      // No more claims than needed: the link shares 4,096 characters with the rest of the task's attributes.
      const token = await new SignJWT({ rec: recordingSid, gen: segmentGeneration })
        .setProtectedHeader({ alg: 'HS256', typ })
        .setIssuer(linkIssuer)
        .setAudience(audience)
        .setIssuedAt(at)
        .setExpirationTime(at + days * secondsADay)
        .sign(secret);
      return `${publicUrl}/segment/${recordingSid}.wav?token=${token}`;
    },
    async verify(token, row) {
      if (!token) throw linkMissing();
      if (!enabled) throw new CustodyError('link_revoked', 'segment links are turned off', { status: 403 });
      try {
        const { payload } = await jwtVerify(token, secret, {
          algorithms: ['HS256'],
          typ,
          issuer: linkIssuer,
          audience,
          requiredClaims: ['rec', 'gen', 'exp', 'iat'],
          // A shorter setting shortens the links that are out already.
          maxTokenAge: days * secondsADay,
          currentDate: new Date(now()),
        });
        if (payload['rec'] !== row.recordingSid) {
          throw new CustodyError('link_refused', 'the link is for another recording', { status: 403 });
        }
        if (payload['gen'] !== row.segmentGeneration) {
          throw new CustodyError('link_revoked', 'the link was revoked', { status: 403 });
        }
      } catch (error) {
        throw linkError(error);
      }
    },
  };
}
