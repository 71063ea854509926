import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Audio } from '../playback/audio.ts';
import { isNotModified, isPreconditionFailure, isRangeFresh } from './conditional.ts';
import { contentRange, parseRange, unsatisfiedRange } from './range.ts';

/**
 * How long a listener may read nothing before the host closes the connection; the store's connection is closed long before.
 * Browsers stop reading when they have enough audio, and send another request for the rest when they continue.
 */
const silentListenerMs = 600_000;

/** Headers of audio, which no other answer may have. */
const ofAudio = [
  'Content-Type',
  'Content-Length',
  'Content-Disposition',
  'Content-Range',
  'Accept-Ranges',
  'ETag',
];

/** A route's onError: removes the headers of audio if the body failed before its first byte. */
export async function asNoAudio(_request: FastifyRequest, reply: FastifyReply): Promise<void> {
  for (const name of ofAudio) reply.removeHeader(name);
}

/** Aborts if the client leaves before the answer begins; after that, Fastify destroys the body. */
export function untilGone(reply: FastifyReply): AbortSignal {
  const left = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.headersSent) left.abort();
  });
  return left.signal;
}

/** Answers with the audio or the requested range, in the order of checks of RFC 9110, 13.2.2. */
export async function sendAudio(
  request: FastifyRequest,
  reply: FastifyReply,
  audio: Audio,
  silentMs = silentListenerMs,
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
  // Without a listener for the event Node ends the connection at the timeout; the next request has its own.
  reply.raw.setTimeout(silentMs);
  return reply.send(body);
}
