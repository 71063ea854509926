import { CustodyError } from '@flex-custody/core';
import type { OpenedMedia } from '../source/types.ts';
import type { SourceIdentity, UploadState } from './upload-state.ts';

/** Where reading begins, and from where on parts are sealed: those before are only compared with their digests. */
export interface Continuation {
  first: number;
  sealFrom: number;
}

export function identityOf({ channels, contentLength, etag, lastModified }: OpenedMedia): SourceIdentity {
  return {
    channels,
    ...(contentLength !== undefined && { totalBytes: contentLength }),
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && { lastModified }),
  };
}

type Open = (options: { channels: 1 | 2; range?: string; ifRange?: string }) => Promise<OpenedMedia>;

/**
 * Opens the media at `offset` if the source supports ranges, and else from its beginning. It is not known whether Twilio
 * honours Range: both answers are handled.
 */
export async function openAt(open: Open, { source }: UploadState, offset: number): Promise<OpenedMedia> {
  const { channels } = source;
  // A weak validator does not identify bytes (RFC 9110, 13.1.5).
  const ifRange = source.etag?.startsWith('"') ? source.etag : source.lastModified;
  if (offset === 0 || ifRange === undefined || source.totalBytes === undefined) return open({ channels });
  try {
    const media = await open({ channels, range: `bytes=${offset}-`, ifRange });
    const restated = ifRange === source.etag ? media.etag : media.lastModified;
    if (media.status !== 206 || restated !== undefined) return media;
    // A source that gives a range without a validator may have ignored the condition: its bytes could be of another
    // file than the parts that have arrived. Read from the beginning, each of those is compared with its digest.
    media.body.destroy();
    return open({ channels });
  } catch (error) {
    if (error instanceof CustodyError && error.code === 'media_range') return open({ channels });
    throw error;
  }
}

/** Undefined where the source is not what it was. */
export function readContinuation(
  media: OpenedMedia,
  { partBytes, source }: UploadState,
  sealFrom: number,
): Continuation | undefined {
  const now = identityOf(media);
  const differs = (name: 'etag' | 'lastModified') =>
    source[name] !== undefined && now[name] !== undefined && source[name] !== now[name];
  if (now.channels !== source.channels || differs('etag') || differs('lastModified')) return undefined;
  if (media.status !== 206) {
    const isLonger =
      source.totalBytes !== undefined && now.totalBytes !== undefined && source.totalBytes !== now.totalBytes;
    return isLonger ? undefined : { first: 0, sealFrom };
  }
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(media.contentRange ?? '');
  const [start, end, total] = (range ?? []).slice(1).map(Number);
  const isRest = start === sealFrom * partBytes && total === source.totalBytes && end === (total ?? 0) - 1;
  return isRest ? { first: sealFrom, sealFrom } : undefined;
}
