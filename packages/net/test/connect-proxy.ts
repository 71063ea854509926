import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';

/** A proxy on loopback: connects each target of CONNECT to a port here, passes plain requests on, counts both. */
export class ConnectProxy {
  /** Targets of CONNECT, in their order. */
  readonly tunnels: string[] = [];
  /** Whole URLs of plain requests. */
  readonly plain: string[] = [];
  readonly authorizations = new Set<string | undefined>();
  /** While true it takes connections and answers nothing, within tunnels too. */
  #isSilent = false;
  readonly #held: (() => void)[] = [];
  readonly #sockets = new Set<Duplex>();
  readonly #server: Server;

  /**
   * @param wayOf the port on loopback that a target (host:port) leads to, or that of another proxy which leads there;
   *   undefined where it is refused
   */
  constructor(wayOf: (target: string) => number | { proxy: number } | undefined, refusal = '403 Forbidden') {
    this.#server = createServer((request, response) => {
      this.plain.push(request.url ?? '');
      this.authorizations.add(request.headers['proxy-authorization']);
      response.end(`by the proxy: ${request.headers.host}`);
    });
    this.#server.on('connection', (socket) => this.#track(socket));
    this.#server.on('connect', (request: IncomingMessage, client: Duplex) => {
      const target = request.url ?? '';
      this.tunnels.push(target);
      this.authorizations.add(request.headers['proxy-authorization']);
      client.on('error', () => undefined);
      this.#whenHeard(() => {
        if (client.destroyed) return;
        const way = wayOf(target);
        if (way === undefined) client.end(`HTTP/1.1 ${refusal}\r\nContent-Length: 4\r\n\r\nsays`);
        else if (typeof way === 'number')
          this.#join(client, way, () => client.write('HTTP/1.1 200 Connection established\r\n\r\n'));
        else
          this.#join(client, way.proxy, (behind) =>
            behind.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`),
          );
      });
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get held(): number {
    return this.#held.length;
  }

  silence(): void {
    this.#isSilent = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** What it was asked meanwhile it answers now, late. */
  recover(): void {
    this.#isSilent = false;
    for (const socket of this.#sockets) socket.resume();
    for (const answer of this.#held.splice(0)) answer();
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #whenHeard(answer: () => void): void {
    if (this.#isSilent) this.#held.push(answer);
    else answer();
  }

  #join(client: Duplex, port: number, begin: (behind: Duplex) => void): void {
    const behind: Duplex = connect(port, '127.0.0.1', () => begin(behind));
    this.#track(behind);
    // By hand: a pipe would go on where a silence has paused it.
    for (const [from, to] of [
      [client, behind],
      [behind, client],
    ] as const) {
      from.on('data', (chunk: Buffer) => to.write(chunk));
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  }

  #track(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
