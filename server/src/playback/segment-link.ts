import { CustodyError, type RecordingSid } from '@flex-custody/core';
import { errors, jwtVerify, SignJWT } from 'jose';
import type { RecordingRow } from '../catalog/recording-row.ts';
import { linkError, linkIssuer, linkMissing } from './media-link.ts';

type Linked = Pick<RecordingRow, 'recordingSid' | 'segmentGeneration'>;

/**
 * `segment_link` for the older Player, which sends no token of its own: every holder of the link may listen until it
 * expires or is revoked. Off by default; when the setting is turned off, links that were issued earlier stop playing too.
 */
export interface SegmentLinks {
  readonly enabled: boolean;
  /** The link for the task; undefined if the setting is off. */
  segmentLinkFor(row: Linked): Promise<string | undefined>;
  /**
   * Checks the token. The link plays only while the recording has the generation that the token names.
   * @throws CustodyError `link_missing` (401), `link_invalid` (403), and for a link that this host issued for the recording
   * `link_expired` or, if the setting is off, `link_revoked` (403)
   */
  verify(token: string | undefined, recordingSid: RecordingSid): Promise<{ generation: number; id: string }>;
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
const elsewhere = () => new CustodyError('link_invalid', 'the link is for another recording');

export function createSegmentLinks({
  secret,
  publicUrl,
  days,
  now = Date.now,
}: SegmentLinkOptions): SegmentLinks {
  if (days > longestDays) {
    throw new CustodyError('config_invalid', `segment links are valid for at most ${longestDays} days`);
  }
  const enabled = days > 0;
  return {
    enabled,
    async segmentLinkFor({ recordingSid, segmentGeneration }) {
      if (!enabled) return undefined;
      const at = Math.floor(now() / 1000);
      // Few claims: the link shares 4,096 characters with the rest of the task's attributes.
      const token = await new SignJWT({ rec: recordingSid, gen: segmentGeneration })
        .setProtectedHeader({ alg: 'HS256', typ })
        .setIssuer(linkIssuer)
        .setAudience(audience)
        .setIssuedAt(at)
        .setExpirationTime(at + days * secondsADay)
        .sign(secret);
      return `${publicUrl}/segment/${recordingSid}.wav?token=${token}`;
    },
    async verify(token, recordingSid) {
      if (!token) throw linkMissing();
      try {
        const { payload } = await jwtVerify(token, secret, {
          algorithms: ['HS256'],
          typ,
          issuer: linkIssuer,
          audience,
          requiredClaims: ['rec', 'gen', 'exp', 'iat'],
          // A shorter setting also shortens links that were issued earlier.
          maxTokenAge: (enabled ? days : longestDays) * secondsADay,
          currentDate: new Date(now()),
        });
        const { rec, gen, iat } = payload;
        if (rec !== recordingSid || typeof gen !== 'number') throw elsewhere();
        if (!enabled) throw new CustodyError('link_revoked', 'segment links are turned off');
        return { generation: gen, id: `${rec} ${gen} ${iat}` };
      } catch (error) {
        // Its signature is valid, so this host issued it; it must also be for this recording.
        if (error instanceof errors.JWTExpired && error.payload['rec'] !== recordingSid) throw elsewhere();
        throw linkError(error);
      }
    },
  };
}
