import { isIP } from 'node:net';
import { CustodyError } from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';

/**
 * Refuses what is asked under a name that is not ours: a page can have a name of its own point to this listener, and its
 * browser then takes the answers for the page's. Addresses and localhost are nobody's name, and old health checks send none.
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
      'asked under a name that is not known here: add it to CUSTODY_OPS_NAMES if it is yours',
    );
  });
}

/** Without the port, in lower case; undefined for what is no host. */
function nameOf(header: string): string | undefined {
  return /^(\[[\da-f:.]+\]|[^:[\]/@]+)(?::\d{1,5})?$/i.exec(header.trim())?.[1]?.toLowerCase();
}
