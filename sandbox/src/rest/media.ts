import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { disturb, type Fault } from '../faults.ts';
import { sealedMedia } from '../recording-encryption.ts';
import type { Recording } from '../world.ts';
import { query, resource, version } from './format.ts';
import { findRecording } from './recordings.ts';
import { notFound, onHost, type RestApp, type RestDeps, TwilioError } from './route.ts';

/**
 * A recording's audio. Whether Twilio honours Range here, and what validators it sends, is unverified: both are
 * switchable (world.behaviour), and clients must live with either.
 */
export function mediaRoutes(app: RestApp, deps: RestDeps): void {
  const base = `/${version}/Accounts/:account/Recordings`;
  for (const ending of ['', '.wav']) {
    app.route({
      method: ['GET', 'HEAD'],
      url: `${base}/:recording(^RE[0-9a-f]{32}$)${ending}`,
      ...onHost('api'),
      handler: (request, reply) => sendMedia(deps, request, reply),
    });
  }
}

async function sendMedia({ world, faults, events }: RestDeps, request: FastifyRequest, reply: FastifyReply) {
  const recording = findRecording(world, request);
  const plain = recording.media;
  if (recording.status !== 'completed' || !plain) throw notFound(resource(request));
  const media = recording.seal ? sealedMedia(plain, recording.seal) : plain;
  const channels = channelsOf(recording, query(request)['RequestedChannels']);
  const fault = faults.take('media', `${request.method} ${request.url}`);
  if (fault) events.emit('fault.met', { target: 'media', kind: fault.kind, recording: recording.sid });
  if (fault?.kind === 'status')
    throw new TwilioError(fault.value ?? 503, fault.value === 429 ? 20429 : 20503, 'Service unavailable');
  if (fault?.kind === 'html')
    return reply.type('text/html').send('<html><body><h1>Something went wrong</h1></body></html>');
  const total = media.size(channels);
  const etag = `"${(await media.sha256(channels)).slice(0, 32)}"`;
  const { mediaRange, mediaValidators } = world.behaviour;
  if (mediaValidators) {
    reply.header('etag', etag).header('last-modified', recording.updatedAt.toUTCString());
  }
  if (mediaRange) reply.header('accept-ranges', 'bytes');
  reply.type('audio/x-wav');
  if (fault?.kind === 'empty') return reply.header('content-length', 0).send('');
  const fresh = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
  const range = mediaRange && fresh ? rangeOf(request.headers.range, total) : undefined;
  if (range === 'unsatisfiable')
    return reply.code(416).header('content-range', `bytes */${total}`).type('text/plain').send('');
  const [start, end] = range ?? [0, total - 1];
  if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${total}`);
  if (fault?.kind !== 'short') reply.header('content-length', end - start + 1);
  if (request.method === 'HEAD') return reply.send();
  events.emit('media.fetched', { recording: recording.sid, bytes: end - start + 1 });
  const body = media.stream(channels, start, end);
  return reply.send(fault ? faulty(body, fault, end - start + 1, reply) : body);
}

/** A dual conference recording is given as mono unless two channels are asked for; more than there are is a 400. */
function channelsOf(recording: Recording, asked: string | undefined): 1 | 2 {
  if (asked === undefined) return recording.conferenceSid ? 1 : recording.channels;
  if (asked !== '1' && asked !== '2') throw new TwilioError(400, 20001, 'Invalid RequestedChannels');
  if (asked === '2' && recording.channels === 1)
    throw new TwilioError(400, 21220, 'The requested number of channels is not available for this recording');
  return asked === '2' ? 2 : 1;
}

/** One range; anything else is ignored, as RFC 9110 lets a server do. */
function rangeOf(header: string | undefined, total: number): [number, number] | 'unsatisfiable' | undefined {
  const parts = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!parts || (parts[1] === '' && parts[2] === '')) return undefined;
  if (parts[1] === '') {
    const length = Number(parts[2]);
    return length === 0 ? 'unsatisfiable' : [Math.max(0, total - length), total - 1];
  }
  const start = Number(parts[1]);
  const end = parts[2] === '' ? total - 1 : Math.min(Number(parts[2]), total - 1);
  if (parts[2] !== '' && Number(parts[2]) < start) return undefined;
  return start >= total ? 'unsatisfiable' : [start, end];
}

function faulty(body: Readable, fault: Fault, total: number, reply: FastifyReply): Readable {
  const disturbed = disturb(fault, total, () => reply.raw.socket?.destroy());
  reply.raw.once('close', () => body.destroy());
  return body.pipe(disturbed);
}
