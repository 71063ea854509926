import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Audio } from '../playback/audio.ts';
import { isNotModified, isPreconditionFailure, isRangeFresh } from './conditional.ts';
import { contentRange, parseRange, unsatisfiedRange } from './range.ts';

/**
 * So long may a listener take nothing before his connection is given up; the store's behind it is by then long closed.
 * Browsers stop reading when they have enough ahead, and ask again, from where they are, when they go on.
 */
const silentListenerMs = 600_000;

/** What is said of audio, and is not true of any other answer. */
const ofAudio = [
  'Content-Type',
  'Content-Length',
  'Content-Disposition',
  'Content-Range',
  'Accept-Ranges',
  'ETag',
];

/** A route's onError: a body that failed before its first byte takes back what was said of it. */
export async function asNoAudio(_request: FastifyRequest, reply: FastifyReply): Promise<void> {
  for (const name of ofAudio) reply.removeHeader(name);
}

/** Aborts when the client leaves before the answer begins; from then on it is the body that is destroyed. */
export function untilGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.headersSent) gone.abort();
  });
  return gone.signal;
}

/** Answers with the audio, or the part of it that was asked for, by the order of questions of RFC 9110, 13.2.2. */
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
  // Without a listener for it Node ends the connection when the time is over; a request that follows has its own.
  reply.raw.setTimeout(silentMs);
  return reply.send(body);
}
