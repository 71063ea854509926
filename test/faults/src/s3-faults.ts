import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { disturb, type Fault, type Faults } from '../../../sandbox/src/faults.ts';

export interface FaultyWay {
  endpoint: string;
  close(): Promise<void>;
}

/** A way to a real S3 on which things go wrong as they do in the sandbox's own. What is signed stays as it was. */
export async function startFaultyWay(endpoint: string, faults: Faults): Promise<FaultyWay> {
  const { hostname, port } = new URL(endpoint);
  return listenOnLoopback((incoming, outgoing) => {
    const fault = faults.take('s3', `${incoming.method} ${incoming.url}`);
    if (fault && standsInTheWay(fault, incoming, outgoing)) return;
    const pass = () => forward(incoming, outgoing, { hostname, port }, fault);
    if (fault?.kind === 'slow' && incoming.method !== 'GET') setTimeout(pass, fault.value ?? 1_000);
    else pass();
  });
}

export async function listenOnLoopback(take: RequestListener): Promise<FaultyWay> {
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 30_000 }, take);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** @returns true when nothing more is to be done */
function standsInTheWay(
  { kind, value = 503 }: Fault,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): boolean {
  if (kind === 'status') {
    incoming.resume();
    outgoing.writeHead(value, { 'content-type': 'application/xml', connection: 'close' });
    const code = value === 503 ? 'SlowDown' : 'InternalError';
    outgoing.end(
      `<?xml version="1.0"?><Error><Code>${code}</Code><Message>Please reduce your request rate.</Message></Error>`,
    );
    return true;
  }
  if (kind === 'cut' && incoming.method !== 'GET') {
    // In the middle of what is sent, not before it: some of it may have arrived.
    incoming.once('data', () => incoming.socket.destroy());
    incoming.once('end', () => incoming.socket.destroy());
    return true;
  }
  return false;
}

/** @param fault what spoils the answer on its way */
export function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  to: { hostname: string; port: string },
  fault: Fault | undefined,
): void {
  const { method, url: path, headers } = incoming;
  const upstream = request({ ...to, method, path, headers, agent: false }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    const spoils = fault && method === 'GET' && (fault.kind === 'cut' || fault.kind === 'short');
    if (!spoils) return void answer.pipe(outgoing);
    const total = Number(answer.headers['content-length'] ?? 0);
    answer.pipe(disturb(fault, total, () => outgoing.destroy())).pipe(outgoing);
  });
  upstream.once('error', () => outgoing.destroy());
  incoming.once('error', () => upstream.destroy());
  outgoing.once('close', () => upstream.destroy());
  incoming.pipe(upstream);
}
