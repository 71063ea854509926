import { Readable } from 'node:stream';
import { CustodyError } from '@flex-custody/core';
import { type MediaCredentials, type OpenedMedia, openMedia } from '@flex-custody/vault';
import type { RecordingRow } from '../catalog/recording-row.ts';
import type { Audio } from './audio.ts';
import { Reads } from './resting-stream.ts';

export interface TwilioMediaRequest {
  row: RecordingRow;
  /** From the link, so that one link always plays the same bytes. */
  channels: 1 | 2;
  /** The raw `Range` header, as the client sent it. */
  range?: string;
  signal?: AbortSignal;
}

export interface TwilioMedia {
  /** @throws CustodyError `media_missing` (404), `media_unavailable` (503), `media_refused` (502) */
  open(request: TwilioMediaRequest): Promise<Audio>;
}

type Slice = { start: number; end: number; size: number };

/** Reads the `Content-Range` of a 206; undefined unless it names both the range and the whole. */
export function contentRangeOf(header: string | undefined): Slice | undefined {
  const parts = /^bytes (\d+)-(\d+)\/(\d+)$/i.exec(header?.trim() ?? '');
  if (!parts) return undefined;
  const [start, end, size] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  return start <= end && end < size ? { start, end, size } : undefined;
}

/** Bytes [start, end] of a body that begins at byte 0; reads no further than needed, and fails where the body is short. */
export function slice(body: Readable, start: number, end: number): Readable {
  async function* wanted() {
    let at = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      const part = chunk.subarray(Math.max(0, start - at), end + 1 - at);
      at += chunk.length;
      if (at > start) yield part;
      if (at > end) return;
    }
    throw new CustodyError('media_cut', 'the media ended before the range did');
  }
  const out = Readable.from(wanted(), { objectMode: false });
  // Otherwise the connection of a listener who leaves would stay open until the next chunk.
  out.once('close', () => body.destroy());
  return out;
}

/** Twilio's refusals become errors of ours: a listener would take Twilio's 401 for a fault of the own token. */
function asGateway(error: unknown): unknown {
  if (!(error instanceof CustodyError) || error.status === 404 || error.status === 503) return error;
  return new CustodyError(error.retryable ? 'media_unavailable' : 'media_refused', error.message, {
    cause: error,
  });
}

const readsAtOnce = 400;

/**
 * Plays a recording from Twilio while there is no copy. Twilio does not document whether it honours `Range` here, so a
 * partial answer is checked, and from a whole one the range is cut out.
 */
export function createTwilioMedia(
  credentials: MediaCredentials,
  reads: Reads = new Reads({ most: readsAtOnce }),
): TwilioMedia {
  const fetchMedia = ({ row, channels, signal }: TwilioMediaRequest, range?: string) => {
    const source = { accountSid: row.accountSid, recordingSid: row.recordingSid, channels };
    return openMedia(source, credentials, { ...(signal && { signal }), ...(range && { range }) });
  };
  const checked = async (request: TwilioMediaRequest, range?: string): Promise<OpenedMedia> => {
    try {
      return await fetchMedia(request, range);
    } catch (error) {
      // We can refuse a range only if we know the length of the whole.
      if (range !== undefined && error instanceof CustodyError && error.status === 416)
        return checked(request);
      throw asGateway(error);
    }
  };

  /** Opens the same media from a byte on, after a listener has paused. */
  const again = async (
    request: TwilioMediaRequest,
    before: { bytes: number; etag: string | undefined },
    { start, end }: { start: number; end: number },
  ): Promise<Readable> => {
    const media = await checked(request, `bytes=${start}-${end}`);
    const granted = media.status === 206 ? contentRangeOf(media.contentRange) : undefined;
    const isSame =
      media.etag === before.etag &&
      (media.status === 206
        ? granted?.size === before.bytes && granted.start === start && granted.end === end
        : media.contentLength === before.bytes);
    if (isSame) return granted ? media.body : slice(media.body, start, end);
    media.body.destroy();
    throw new CustodyError('media_cut', "Twilio's media has changed since the listener paused");
  };

  return {
    async open(request) {
      let media: OpenedMedia = await checked(request, request.range);
      let granted = media.status === 206 ? contentRangeOf(media.contentRange) : undefined;
      const restart = async () => {
        media.body.destroy();
        granted = undefined;
        media = await checked(request);
      };
      if (media.status === 206 && !granted) await restart();
      const bytes = granted?.size ?? media.contentLength;
      return {
        ...(media.etag && { etag: media.etag }),
        ...(bytes !== undefined && { bytes }),
        async read(range) {
          if (granted && (granted.start !== range?.start || granted.end !== range.end)) await restart();
          const part =
            range === undefined || granted ? media.body : slice(media.body, range.start, range.end);
          if (bytes === undefined) return part;
          const { start, end } = range ?? { start: 0, end: bytes - 1 };
          const { etag } = media;
          return reads.stream({
            start,
            end,
            first: part,
            open: (from, signal) => again({ ...request, signal }, { bytes, etag }, { start: from, end }),
          });
        },
        discard: () => {
          media.body.destroy();
        },
      };
    },
  };
}
