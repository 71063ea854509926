import type { Readable } from 'node:stream';

/** Account SID and auth token, or API key SID and secret. */
export interface MediaCredentials {
  username: string;
  password: string;
}

export interface OpenMediaOptions {
  signal?: AbortSignal;
  /** Longest silence on the wire, ms; default 5000. */
  stallMs?: number;
  /** Raw `Range` header to pass on. */
  range?: string;
  /** `If-Range`, with `range`: the ETag or date without which the whole is wanted instead. */
  ifRange?: string;
  /** What comes is sealed by Twilio (twilio-sealed.ts), and cannot be seen to be audio. */
  sealed?: boolean;
}

/** Media whose first bytes were seen to be audio. The body fails rather than end short. */
export interface OpenedMedia {
  body: Readable;
  /** Absent when the source announced none; the guard then holds the body to its RIFF size. */
  contentLength?: number;
  /** What was asked for and granted: 1 when the recording has no two channels. */
  channels: 1 | 2;
  contentType: string;
  etag?: string;
  lastModified?: string;
  /** 200, or 206 for a granted range. */
  status: number;
  contentRange?: string;
  acceptRanges: boolean;
}
