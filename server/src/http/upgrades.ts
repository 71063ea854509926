import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { CustodyError } from '@flex-custody/core';
import { orAborted } from '@flex-custody/net';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Upgrade } from '../room.ts';

/** Shorter than the grace of requests, so that WebSockets do not delay the end of a process. */
const defaultCloseMs = 5_000;

export interface UpgradesDeps {
  log: FastifyBaseLogger;
  upgrades: readonly Upgrade[];
  /** How long all of them together have to end their connections, ms; 5,000 by default. */
  closeMs?: number;
}

/**
 * Passes a connection that requests another protocol to the upgrade of its path: 404 for another path, 503 while closing.
 * Without any upgrade there is no listener, and Node answers the request as an ordinary one.
 */
export function serveUpgrades(
  app: FastifyInstance,
  { log, upgrades, closeMs = defaultCloseMs }: UpgradesDeps,
): void {
  if (upgrades.length === 0) return;
  const sockets = new Set<Duplex>();
  let isClosing = false;

  app.server.on('upgrade', (request, socket, head) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Without a listener a client that resets its connection would end the process.
    socket.on('error', () => socket.destroy());
    const path = request.url?.split('?', 1)[0];
    const upgrade = upgrades.find((one) => one.path === path);
    if (isClosing || !upgrade) return refuse(socket, isClosing ? 503 : 404);
    const handle = async () => upgrade.handle(request, socket, head);
    handle().catch((error: unknown) => {
      log.error({ err: error, route: upgrade.path }, 'an upgrade failed');
      socket.destroy();
    });
  });

  app.addHook('preClose', async () => {
    isClosing = true;
    const over = new AbortController();
    const timer = setTimeout(
      () => over.abort(new CustodyError('stopping', 'the time for closing is over')),
      closeMs,
    );
    const closed = Promise.allSettled(upgrades.map(async (one) => one.close(over.signal)));
    await orAborted(closed, over.signal, 0).catch(() => undefined);
    clearTimeout(timer);
    // The server waits for every socket.
    for (const socket of sockets) socket.destroy();
  });
}

function refuse(socket: Duplex, status: number): void {
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    () => socket.destroy(),
  );
}
