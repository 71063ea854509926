import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { finished, type Readable } from 'node:stream';
import { CustodyError, type MediaSource } from '@flex-custody/core';
import { answerTo, ProxyRefusal, sharedAgent } from '@flex-custody/net';
import { asError } from '../as-error.ts';
import { mediaError } from './errors.ts';
import { MediaGuard } from './guard.ts';
import type { MediaCredentials, OpenedMedia, OpenMediaOptions } from './types.ts';

const ORIGIN = 'https://api.twilio.com';
const DEFAULT_STALL_MS = 5000;
/** What refuses in earnest does so in a few lines. */
const MOST_ERROR_BYTES = 16_384;
const ERROR_WITHIN_MS = 2_000;

/**
 * Opens the media of a recording at Twilio
 * (https://www.twilio.com/docs/voice/api/recording#fetch-a-recordings-media). The URL is built from SIDs, never taken
 * from a callback, so that credentials are sent to Twilio alone; a redirect would send them elsewhere and is refused. Both
 * channels are asked for by name, because a conference is mixed down otherwise; what has only one answers 400.
 * Errors: media_unauthorized, media_missing, and retryable media_unavailable, _not_audio, _empty,
 * _short, _long, _cut, _stalled.
 */
export async function openMedia(
  source: MediaSource,
  credentials: MediaCredentials,
  options: OpenMediaOptions = {},
): Promise<OpenedMedia> {
  let channels = source.channels;
  let response = await request(source, channels, credentials, options);
  if (response.statusCode === 400 && channels === 2) {
    response.destroy();
    channels = 1;
    response = await request(source, channels, credentials, options);
  }
  if (response.statusCode === 400 && options.sealed) {
    // Twilio cannot mix what it cannot open, and may well refuse to be asked for channels at all.
    response.destroy();
    response = await request(source, undefined, credentials, options);
  }
  return opened(response, channels, options);
}

async function request(
  { accountSid, recordingSid }: MediaSource,
  channels: 1 | 2 | undefined,
  credentials: MediaCredentials,
  { signal, stallMs = DEFAULT_STALL_MS, range, ifRange }: OpenMediaOptions,
): Promise<IncomingMessage> {
  const query = channels === undefined ? '' : `?RequestedChannels=${channels}`;
  const url = `${ORIGIN}/2010-04-01/Accounts/${accountSid}/Recordings/${recordingSid}.wav${query}`;
  const asking = https.request(url, {
    agent: sharedAgent(url),
    auth: `${credentials.username}:${credentials.password}`,
    // Compressed, neither length nor range would be that of the file.
    headers: {
      Accept: '*/*',
      'Accept-Encoding': 'identity',
      ...(range !== undefined && { Range: range }),
      ...(range !== undefined && ifRange !== undefined && { 'If-Range': ifRange }),
    },
  });
  try {
    // The guard has its eye on the body: a limit for that as well would cut a good one.
    return await answerTo(asking, { answerMs: 2 * stallMs, signal });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    // What a proxy says itself is no word of Twilio's about the credentials.
    if (error instanceof ProxyRefusal)
      throw mediaError('unavailable', `the proxy does not connect to Twilio (${error.status})`);
    const { code } = error as NodeJS.ErrnoException;
    throw mediaError('unavailable', `Twilio's media cannot be reached (${code ?? 'unknown'})`);
  }
}

async function opened(
  response: IncomingMessage,
  channels: 1 | 2,
  options: OpenMediaOptions,
): Promise<OpenedMedia> {
  try {
    return await accepted(response, channels, options);
  } catch (error) {
    response.destroy();
    throw error;
  }
}

async function accepted(
  response: IncomingMessage,
  channels: 1 | 2,
  options: OpenMediaOptions,
): Promise<OpenedMedia> {
  const status = response.statusCode ?? 0;
  if (status !== 200 && status !== 206) throw refusal(status, await codeOf(response));
  const header = (name: string): string | undefined => {
    const value = response.headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  const contentType = header('content-type') ?? 'application/octet-stream';
  if (!/^(audio\/|application\/octet-stream|binary\/octet-stream)/i.test(contentType)) {
    throw mediaError('not_audio', `Twilio answered with ${contentType.slice(0, 60)}, not audio`);
  }
  const encoding = header('content-encoding') ?? 'identity';
  if (encoding !== 'identity')
    throw mediaError('not_audio', `the media came in the encoding ${encoding.slice(0, 60)}`);
  const length = header('content-length');
  const contentLength = length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
  const contentRange = header('content-range');
  const guard = new MediaGuard({
    expectedBytes: contentLength,
    stallMs: options.stallMs ?? DEFAULT_STALL_MS,
    showsHead: status === 200 && options.sealed !== true,
  });
  const body = guarded(response, guard, options.signal);
  await guard.accepted;
  const etag = header('etag');
  const lastModified = header('last-modified');
  return {
    body,
    channels,
    contentType,
    status,
    acceptRanges: header('accept-ranges') === 'bytes',
    ...(contentLength !== undefined && { contentLength }),
    ...(contentRange !== undefined && { contentRange }),
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && { lastModified }),
  };
}

/** Pipes the answer into the guard, whose errors say what its own mean. */
function guarded(answer: Readable, guard: MediaGuard, signal: AbortSignal | undefined): Readable {
  finished(answer, (error) => {
    if (!error) return;
    guard.destroy(
      signal?.aborted ? asError(signal.reason) : mediaError('cut', 'the media broke off in the middle'),
    );
  });
  guard.once('close', () => answer.destroy());
  return answer.pipe(guard);
}

/** Twilio's own code in the body of a refusal: it says more than the status. */
async function codeOf(body: Readable): Promise<number | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const timer = setTimeout(() => body.destroy(), ERROR_WITHIN_MS);
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      pieces.push(piece);
      bytes += piece.byteLength;
      if (bytes > MOST_ERROR_BYTES) return undefined;
    }
    const { code } = JSON.parse(Buffer.concat(pieces).toString()) as { code?: unknown };
    return typeof code === 'number' && Number.isSafeInteger(code) ? code : undefined;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

function refusal(status: number, code: number | undefined): CustodyError {
  const said = code === undefined ? `${status}` : `${status}, code ${code}`;
  if (code === 16109) {
    return new CustodyError(
      'twilio_form_refused',
      'Twilio gives recordings that it has sealed as .wav alone (16109)',
    );
  }
  if (status === 401 || status === 403) {
    return mediaError(
      'unauthorized',
      `Twilio refuses these credentials (${said}): check the account SID and its token or API key`,
    );
  }
  if (status === 404 || status === 410) {
    return mediaError(
      'missing',
      `Twilio has no media of this recording (${said}): deleted, in external storage, or not completed`,
    );
  }
  if (status === 416) return new CustodyError('media_range', 'the media has no such range');
  return mediaError('unavailable', `Twilio answered ${said}`);
}
