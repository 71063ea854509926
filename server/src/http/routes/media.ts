import { CustodyError } from '@flex-custody/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Catalog, RecordingRow } from '../../catalog/catalog.ts';
import { type Audio, isStored, versionOf } from '../../playback/audio.ts';
import type { MediaLinks } from '../../playback/media-link.ts';
import type { RecordingReader } from '../../playback/recording-reader.ts';
import type { TwilioMedia } from '../../playback/twilio-media.ts';
import { isNotModified, isPreconditionFailure, isRangeFresh } from '../conditional.ts';
import { guardLink, linkRequestOf } from '../plugins/media-token.ts';
import { contentRange, parseRange, unsatisfiedRange } from '../range.ts';

export interface MediaParts {
  catalog: Pick<Catalog, 'find'>;
  mediaLinks: MediaLinks;
  reader: RecordingReader;
  twilioMedia: TwilioMedia;
}

/** `GET`, `HEAD /media/RE….wav?token=…`: whoever holds a link that was issued to someone who may play. */
export async function mediaRoute(app: FastifyInstance, parts: MediaParts): Promise<void> {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/media/:file',
    onRequest: guardLink,
    onError: asNoAudio,
    handler: async (request, reply) => {
      const { recordingSid, token } = linkRequestOf(request);
      const { origin, version, channels } = await parts.mediaLinks.verify(token, recordingSid);
      const row = await parts.catalog.find(recordingSid);
      if (!row)
        throw new CustodyError('recording_unknown', 'the recording is not in the catalog', { status: 404 });
      const signal = untilGone(reply);
      if (origin === 'twilio')
        return sendAudio(request, reply, await openTwilio(parts, request, row, channels, signal));
      if (!isStored(row) || versionOf(row) !== version) {
        throw new CustodyError('link_outdated', 'the link is for a copy that is no longer served', {
          status: 410,
        });
      }
      return sendAudio(request, reply, await parts.reader.open(row, signal));
    },
  });
}

export function openTwilio(
  parts: Pick<MediaParts, 'twilioMedia'>,
  request: FastifyRequest,
  row: RecordingRow,
  channels: 1 | 2,
  signal: AbortSignal,
): Promise<Audio> {
  const range = request.method === 'GET' ? request.headers.range : undefined;
  return parts.twilioMedia.open({ row, channels, signal, ...(range !== undefined && { range }) });
}

/** Aborts when the client leaves before the answer begins; from then on it is the body that is destroyed. */
export function untilGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.headersSent) gone.abort();
  });
  return gone.signal;
}

/** A body that failed before its first byte: what was said of the audio is not true of the error's own answer. */
export async function asNoAudio(_request: FastifyRequest, reply: FastifyReply): Promise<void> {
  for (const name of [
    'Content-Type',
    'Content-Length',
    'Content-Disposition',
    'Content-Range',
    'Accept-Ranges',
    'ETag',
  ]) {
    reply.removeHeader(name);
  }
}

/** Answers with the audio, or the part of it that was asked for, by the order of questions of RFC 9110, 13.2.2. */
export async function sendAudio(
  request: FastifyRequest,
  reply: FastifyReply,
  audio: Audio,
): Promise<FastifyReply> {
  const { headers, method } = request;
  const { etag, bytes } = audio;
  reply.headers({
    'Accept-Ranges': bytes === undefined ? 'none' : 'bytes',
    ...(etag !== undefined && { ETag: etag }),
  });
  if (isPreconditionFailure(headers, etag)) {
    audio.discard();
    return reply.code(412).send();
  }
  if (isNotModified(headers, etag)) {
    audio.discard();
    return reply.code(304).send();
  }
  const wanted = method === 'GET' && isRangeFresh(headers, etag) ? headers.range : undefined;
  const range = wanted === undefined || bytes === undefined ? undefined : parseRange(wanted, bytes);
  if (range === 'unsatisfiable') {
    audio.discard();
    return reply
      .code(416)
      .header('Content-Range', unsatisfiedRange(bytes ?? 0))
      .send();
  }
  const length = range ? range.end - range.start + 1 : bytes;
  reply.headers({
    'Content-Type': 'audio/wav',
    'Content-Disposition': 'inline',
    ...(length !== undefined && { 'Content-Length': length }),
  });
  if (method === 'HEAD') {
    audio.discard();
    return reply.send();
  }
  const body = await audio.read(range);
  if (range && bytes !== undefined) reply.code(206).header('Content-Range', contentRange(range, bytes));
  return reply.send(body);
}
