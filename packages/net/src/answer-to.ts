import type { ClientRequest, IncomingMessage } from 'node:http';

/** Code of the error where nothing came in time. */
export const NO_ANSWER = 'no answer';

/**
 * Sends a request and resolves with the head of its answer; the caller reads the body. Limits and signal reject by
 * themselves: Node raises no error for a request that is destroyed while it waits for a socket, as behind a proxy that
 * never answers CONNECT or in a full pool. A socket that comes later is returned to the pool.
 * @param limits `answerMs` until the head has come; `connectMs` until there is a connection, the wait for a free socket
 *   included; the signal ends the body too; `connected` is called once there is a connection: what fails before was never sent
 * @throws the signal's reason, the request's own error, or one with the code {@link NO_ANSWER}
 */
export function answerTo(
  request: ClientRequest,
  {
    answerMs,
    connectMs,
    connected,
    body,
    signal,
  }: {
    answerMs: number;
    connectMs?: number;
    connected?: (() => void) | undefined;
    body?: Uint8Array | string | undefined;
    signal?: AbortSignal | undefined;
  },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let unanswered: NodeJS.Timeout | undefined;
    let unconnected: NodeJS.Timeout | undefined;
    const fail = (reason: unknown) => {
      clearTimeout(unanswered);
      clearTimeout(unconnected);
      signal?.removeEventListener('abort', stop);
      reject(reason);
      request.destroy(reason instanceof Error ? reason : new Error('broken off'));
    };
    const stop = () => fail(signal?.reason);
    // Also where the request is destroyed long after its answer: an error without a listener would end the process.
    request.on('error', fail);
    if (signal?.aborted) return stop();
    signal?.addEventListener('abort', stop, { once: true });
    unanswered = setTimeout(() => fail(late('no answer in time')), answerMs);
    if (connectMs !== undefined)
      unconnected = setTimeout(() => fail(late('no connection in time')), connectMs);
    const begin = () => {
      clearTimeout(unconnected);
      connected?.();
    };
    request.once('socket', (socket) => {
      if (!socket.connecting) return begin();
      socket.once('encrypted' in socket ? 'secureConnect' : 'connect', begin);
    });
    request.once('response', (answer) => {
      clearTimeout(unanswered);
      clearTimeout(unconnected);
      answer.once('close', () => signal?.removeEventListener('abort', stop));
      resolve(answer);
    });
    request.end(body);
  });
}

const late = (what: string) => Object.assign(new Error(what), { code: NO_ANSWER });
