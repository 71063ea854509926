import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { twilioService } from './certificates.ts';

export interface ConnectProxy {
  /** For HTTPS_PROXY and HTTP_PROXY. */
  url: string;
  close(): Promise<void>;
}

/**
 * A CONNECT proxy on loopback that reaches the TLS stand-in under each of Twilio's names, and those of others under theirs,
 * and nothing else: whatever a client asks for, nothing leaves the machine.
 * @param onRefused gets the `host:port` that was refused
 * @param others ports of loopback by host name
 */
export async function startProxy(
  tlsPort: number,
  onRefused: (target: string) => void,
  others: Readonly<Record<string, number>> = {},
): Promise<ConnectProxy> {
  const sockets = new Set<Duplex>();
  const server: Server = createServer((request, response) => {
    onRefused(request.url ?? '');
    response.writeHead(403, { 'content-type': 'text/plain' }).end('The sandbox lets nothing out.\n');
  });
  server.on('connection', (socket: Socket) => track(sockets, socket));
  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    const [host = '', port] = (request.url ?? '').split(':');
    const target = twilioService(host) === undefined ? others[host.toLowerCase()] : tlsPort;
    if (port !== '443' || target === undefined) {
      onRefused(request.url ?? '');
      client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    track(sockets, upstream);
    upstream.once('connect', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      if (head.length > 0) upstream.write(head);
      upstream.pipe(client);
      client.pipe(upstream);
    });
    // A broken connection must look broken on the other side too, not cleanly ended.
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function track(sockets: Set<Duplex>, socket: Duplex): void {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
}
