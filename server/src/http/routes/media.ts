import { CustodyError } from '@flex-custody/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { LookupCatalog } from '../../catalog/lookup-catalog.ts';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import { type Audio, isStored, originOf, refuseErased, versionOf } from '../../playback/audio.ts';
import type { MediaLinks } from '../../playback/media-link.ts';
import { OpenedCache } from '../../playback/opened-cache.ts';
import type { RecordingReader } from '../../playback/recording-reader.ts';
import type { TwilioMedia } from '../../playback/twilio-media.ts';
import type { Limits } from '../plugins/limits.ts';
import { guardLink, linkRequestOf } from '../plugins/media-token.ts';
import { asNoAudio, sendAudio, untilGone } from '../send-audio.ts';

/** A player that seeks sends several requests a second; for this time they share one read of the catalog. */
const lookTtlMs = 2_000;
const lookLimit = 1_000;

export interface MediaDeps {
  catalog: Pick<LookupCatalog, 'find'>;
  limits: Pick<Limits, 'stream'>;
  mediaLinks: MediaLinks;
  reader: RecordingReader;
  twilioMedia: TwilioMedia;
}

/** `GET`, `HEAD /media/RE….wav?token=…`: for the holder of a link that was issued to an authorised viewer. */
export async function mediaRoute(app: FastifyInstance, deps: MediaDeps): Promise<void> {
  const looks = new OpenedCache<RecordingRow | undefined>({ limit: lookLimit, ttlMs: lookTtlMs });
  app.route({
    method: ['GET', 'HEAD'],
    url: '/media/:file',
    onRequest: guardLink,
    onError: asNoAudio,
    handler: async (request, reply) => {
      const { recordingSid, token } = linkRequestOf(request);
      const { id, viewer, origin, version, channels } = await deps.mediaLinks.verify(token, recordingSid);
      deps.limits.stream(request, reply, { link: id, viewer });
      const row = await looks.get(token ?? '', () => deps.catalog.find(recordingSid));
      if (!row) throw new CustodyError('recording_unknown', 'the recording is not in the catalog');
      refuseErased(row);
      const signal = untilGone(reply);
      if (originOf(row) === undefined)
        throw new CustodyError('link_outdated', 'the recording has no audio to play');
      if (origin === 'twilio')
        return sendAudio(request, reply, await openTwilio(deps, request, row, channels, signal));
      if (!isStored(row) || versionOf(row) !== version) {
        throw new CustodyError('link_outdated', 'the link is for a copy that is no longer served');
      }
      return sendAudio(request, reply, await deps.reader.open(row));
    },
  });
}

export function openTwilio(
  deps: Pick<MediaDeps, 'twilioMedia'>,
  request: FastifyRequest,
  row: RecordingRow,
  channels: 1 | 2,
  signal: AbortSignal,
): Promise<Audio> {
  const range = request.method === 'GET' ? request.headers.range : undefined;
  return deps.twilioMedia.open({ row, channels, signal, ...(range !== undefined && { range }) });
}
