import { createServer } from 'node:net';

/** Below what systems hand to outgoing connections, of which a stack has many: only another listener can take one. */
const first = 12_000;
const last = 19_999;

/** Free ports of loopback, all different. Whoever listens on one has it; until then another process may choose the same. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = first + Math.floor(Math.random() * (last - first + 1));
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
