import { isIP } from 'node:net';
import { CustodyError } from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';

/**
 * Refuses requests under an unknown host name: a web page could point its own name to this listener, and the browser would then
 * let the page read the answers. Addresses and localhost cannot be such a name, and old health checks send none.
 * @throws CustodyError `host_unknown` (421)
 */
export function requireKnownHost(app: FastifyInstance, names: readonly string[]): void {
  const known = new Set(names.map((name) => name.toLowerCase()));
  app.addHook('onRequest', async (request) => {
    const header = request.headers.host;
    const host = header === undefined ? undefined : nameOf(header);
    if (header === undefined || host === 'localhost' || (host !== undefined && known.has(host))) return;
    if (host !== undefined && isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0) return;
    throw new CustodyError(
      'host_unknown',
      'the request names an unknown host: add the name to CUSTODY_OPS_NAMES if it is yours',
    );
  });
}

/** Without the port, in lower case; undefined if it is not a host. */
function nameOf(header: string): string | undefined {
  return /^(\[[\da-f:.]+\]|[^:[\]/@]+)(?::\d{1,5})?$/i.exec(header.trim())?.[1]?.toLowerCase();
}
