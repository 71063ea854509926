import { createHash } from 'node:crypto';
import http, { createServer, type RequestListener, type Server } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import type { OpenedMedia } from '../src/source/types.ts';

export const source = {
  accountSid: `AC${'a'.repeat(32)}`,
  recordingSid: `RE${'b'.repeat(32)}`,
  channels: 2,
} as import('@flex-custody/core').MediaSource;
export const credentials = { username: 'SK1', password: 'top-secret-password' };

/** A body as media that is open already, of two channels. */
export function mediaOf(body: Readable, contentLength?: number): OpenedMedia {
  return {
    body,
    channels: 2,
    contentType: 'audio/x-wav',
    status: 200,
    acceptRanges: false,
    ...(contentLength !== undefined && { contentLength }),
  };
}

/** A double of api.twilio.com: every `https` request is sent here. */
export class MediaServer {
  answer: RequestListener = (_request, response) => response.end();
  readonly urls: string[] = [];
  readonly #server: Server = createServer((request, response) => {
    this.urls.push(String(request.url));
    this.answer(request, response);
  });
  readonly #request = https.request;

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    const here = (url: string | URL, options: https.RequestOptions) => {
      if (!String(url).startsWith('https://api.twilio.com/'))
        throw new Error(`credentials on their way to ${url}`);
      const local = String(url).replace('https://api.twilio.com', `http://127.0.0.1:${port}`);
      return http.request(local, { ...options, agent: undefined });
    };
    https.request = here as typeof https.request;
  }

  stop(): void {
    https.request = this.#request;
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /**
   * As a source that can be read from any point, or one that cannot; an empty `etag` says nothing of itself. `careless`:
   * gives ranges whatever the condition, and without saying of what.
   */
  offer(
    bytes: Buffer,
    {
      ranges = true,
      etag = `"${createHash('md5').update(bytes).digest('hex')}"`,
      careless = false,
    }: { ranges?: boolean; etag?: string; careless?: boolean } = {},
  ): void {
    this.answer = (request, response) => {
      const { range, 'if-range': ifRange } = request.headers;
      const from = /^bytes=(\d+)-$/.exec(range ?? '')?.[1];
      const headers = { 'content-type': 'audio/x-wav', ...(etag && { etag }) };
      if (!ranges || from === undefined || (!careless && ifRange !== undefined && ifRange !== etag)) {
        response.writeHead(200, { ...headers, 'content-length': bytes.length }).end(bytes);
      } else if (Number(from) >= bytes.length) {
        response.writeHead(416, headers).end();
      } else {
        const rest = bytes.subarray(Number(from));
        const contentRange = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
        response
          .writeHead(206, {
            ...(careless ? { 'content-type': 'audio/x-wav' } : headers),
            'content-length': rest.length,
            'content-range': contentRange,
          })
          .end(rest);
      }
    };
  }

  /** Answers with a WAV file, whole. */
  serve(bytes: Buffer, headers: Record<string, string | number> = {}): void {
    this.answer = (_request, response) => {
      response
        .writeHead(200, { 'content-type': 'audio/x-wav', 'content-length': bytes.length, ...headers })
        .end(bytes);
    };
  }
}
