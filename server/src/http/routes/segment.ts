import { CustodyError, type RecordingSid } from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import { type Audit, bearerLink } from '../../access/audit.ts';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import { custodyOf, isStored, originOf, refuseErased } from '../../playback/audio.ts';
import type { SegmentLinks } from '../../playback/segment-link.ts';
import type { Limits } from '../plugins/limits.ts';
import { guardLink, linkRequestOf } from '../plugins/media-token.ts';
import { asNoAudio, sendAudio, untilGone } from '../send-audio.ts';
import { type MediaDeps, openTwilio } from './media.ts';

export interface SegmentDeps extends MediaDeps {
  audit: Audit;
  limits: Pick<Limits, 'stream' | 'bearers'>;
  segmentLinks: SegmentLinks;
}

const refused = () => new CustodyError('link_invalid', 'the link does not play');
const revoked = () => new CustodyError('link_revoked', 'the link was revoked');

/**
 * `GET`, `HEAD /segment/RE….wav?token=…`: for every holder of the link, if the site has turned such links on. The listener has
 * no name, so each request with a link of ours gets an audit entry. Without such a link nothing is looked up: the answer is the
 * same whether or not the recording exists, and the audit log gets no entry.
 */
export async function segmentRoute(app: FastifyInstance, deps: SegmentDeps): Promise<void> {
  const recordingOf = async (sid: RecordingSid, generation: number): Promise<RecordingRow> => {
    const row = await deps.catalog.find(sid);
    if (!row) throw refused();
    if (row.segmentGeneration !== generation) throw revoked();
    return row;
  };

  app.route({
    method: ['GET', 'HEAD'],
    url: '/segment/:file',
    onRequest: guardLink,
    onError: asNoAudio,
    handler: async (request, reply) => {
      const { recordingSid, token } = linkRequestOf(request);
      const entry = {
        viewer: bearerLink,
        action: 'segment-link',
        subject: { kind: 'recording', sid: recordingSid },
        requestId: request.id,
      } as const;
      const admitted = async (): Promise<RecordingRow> => {
        const { generation, id } = await deps.segmentLinks.verify(token, recordingSid);
        deps.limits.stream(request, reply, { link: id });
        deps.limits.bearers.count(id);
        return recordingOf(recordingSid, generation);
      };
      const row = await admitted().catch(async (error: unknown) => {
        // Only a token that the host itself issued gets an audit entry.
        if (error instanceof CustodyError && /^link_(expired|revoked)$/.test(error.code)) {
          await deps.audit.record({ ...entry, allowed: false, reason: error.code });
        }
        throw error;
      });
      if (row.intent) refuseErased(row);
      if (originOf(row) === undefined) {
        throw new CustodyError('recording_absent', 'nothing was recorded');
      }
      await deps.audit.record({
        ...entry,
        allowed: true,
        reason: 'bearer-link',
        custody: custodyOf(row),
      });
      const signal = untilGone(reply);
      const audio = isStored(row)
        ? await deps.reader.open(row)
        : await openTwilio(deps, request, row, row.channels, signal);
      return sendAudio(request, reply, audio);
    },
  });
}
