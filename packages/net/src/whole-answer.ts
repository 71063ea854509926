import type { ClientRequest, IncomingHttpHeaders } from 'node:http';
import { answerTo, NO_ANSWER } from './answer-to.ts';

export interface WholeAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Its body, as UTF-8. */
  text: string;
}

export interface WholeLimits {
  /** Until the last byte of the answer. */
  limitMs: number;
  /** Of the answer's body; without it any number. */
  mostBytes?: number;
  body?: Uint8Array | string | undefined;
  signal?: AbortSignal | undefined;
  /** Called once there is a connection: what fails before was never sent. */
  connected?: (() => void) | undefined;
}

/**
 * Sends a request and reads its whole answer, within one limit for both.
 * @throws as {@link answerTo}; an error with the code {@link TOO_LONG} where the body has more than `mostBytes`
 */
export async function wholeAnswer(
  request: ClientRequest,
  { limitMs, mostBytes = Number.POSITIVE_INFINITY, body, signal, connected }: WholeLimits,
): Promise<WholeAnswer> {
  const over = new AbortController();
  const stop = () => over.abort(signal?.reason);
  if (signal?.aborted) stop();
  else signal?.addEventListener('abort', stop, { once: true });
  const timer = setTimeout(
    () => over.abort(Object.assign(new Error('no whole answer in time'), { code: NO_ANSWER })),
    limitMs,
  );
  try {
    const answer = await answerTo(request, { answerMs: limitMs, body, signal: over.signal, connected });
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of answer as AsyncIterable<Buffer>) {
      bytes += piece.byteLength;
      if (bytes > mostBytes) throw Object.assign(new Error('the answer is too long'), { code: TOO_LONG });
      pieces.push(piece);
    }
    return {
      status: answer.statusCode ?? 0,
      headers: answer.headers,
      text: Buffer.concat(pieces).toString(),
    };
  } catch (error) {
    throw over.signal.aborted ? over.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

export const TOO_LONG = 'answer too long';
