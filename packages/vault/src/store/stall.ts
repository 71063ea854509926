import type { Readable } from 'node:stream';
import { CustodyError } from '@flex-custody/core';

interface TimedSocket {
  setTimeout(ms: number): unknown;
  on(event: 'timeout', listener: () => void): unknown;
  off(event: 'timeout', listener: () => void): unknown;
}

/**
 * Fails a body whose store has fallen silent for `ms`. A reader who pauses is no silence of the store: while bytes wait
 * for him the clock starts over.
 */
export function failOnStall(body: Readable, ms: number): void {
  const { socket } = body as Readable & { socket?: TimedSocket };
  if (!socket) return;
  let waited = false;
  const onTimeout = () => {
    // A reader that has just resumed gives the store a whole period to answer.
    const again = waited;
    waited = body.readableLength > 0;
    if (waited || again) socket.setTimeout(ms);
    else body.destroy(silence(ms));
  };
  socket.setTimeout(ms);
  socket.on('timeout', onTimeout);
  body.once('close', () => {
    // The connection is returned to the pool, for others with clocks of their own.
    socket.setTimeout(0);
    socket.off('timeout', onTimeout);
  });
}

function silence(ms: number): CustodyError {
  return new CustodyError('store_unavailable', `S3 sent nothing for ${ms} ms`);
}
