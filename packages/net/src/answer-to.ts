import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** Code of the error where nothing came in time. */
export const NO_ANSWER = 'no answer';

/**
 * Sends a request and resolves with the head of its answer; the answer's body is then whoever asked's to read.
 * @param limits `answerMs` until the head has come, `connectMs` until there is a connection, where it is a new one; the
 *   signal ends the body too
 * @throws the request's own error, or one with the code {@link NO_ANSWER}
 */
export function answerTo(
  request: ClientRequest,
  {
    answerMs,
    connectMs,
    body,
    signal,
  }: {
    answerMs: number;
    connectMs?: number;
    body?: Uint8Array | undefined;
    signal?: AbortSignal | undefined;
  },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const stop = () => request.destroy(new Error('broken off'));
    const giveUp = () => request.destroy(Object.assign(new Error('no answer in time'), { code: NO_ANSWER }));
    const unanswered = setTimeout(giveUp, answerMs);
    let unconnected: NodeJS.Timeout | undefined;
    const settle = () => {
      clearTimeout(unanswered);
      clearTimeout(unconnected);
    };
    const forget = () => signal?.removeEventListener('abort', stop);
    if (connectMs !== undefined) {
      request.once('socket', (socket: Socket | TLSSocket) => {
        if (!socket.connecting) return;
        unconnected = setTimeout(giveUp, connectMs);
        socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => clearTimeout(unconnected));
      });
    }
    request.once('response', (answer) => {
      settle();
      answer.once('close', forget);
      resolve(answer);
    });
    request.on('error', (error) => {
      settle();
      forget();
      reject(error);
    });
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
    request.end(body);
  });
}
