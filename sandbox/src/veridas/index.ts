import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Certificates } from '../certificates.ts';
import { createVeridas, type Veridas } from './state.ts';

export { createVeridas, type Veridas } from './state.ts';

/** Where the double's config.js has a caller's voice sent to: CUSTODY_STREAM_URLS of the Functions. */
export const veridasAudioUrl = 'wss://audio.veridas.example/twilio';

const vendorFiles = ['daspeak-streaming-web-agent-twilio.bundle.js', 'config.js', 'utils.js'] as const;

export interface VeridasRoutesOptions {
  veridas?: Veridas;
  /** The folder with the vendor's three files. Default: `sandbox/src/veridas/assets` below the current directory. */
  root?: string;
}

/**
 * Registers `/veridas/` with the vendor's three files (for `veridas.vendor_url`), `POST /veridas/token`, and the controls
 * `GET` and `POST /sandbox/veridas`.
 */
export function veridasRoutes(app: FastifyInstance, options: VeridasRoutesOptions = {}): Veridas {
  const veridas = options.veridas ?? createVeridas();
  const root = options.root ?? join(process.cwd(), 'sandbox', 'src', 'veridas', 'assets');
  for (const name of vendorFiles) {
    app.get(`/veridas/${name}`, async (_request, reply) =>
      reply
        // The desktop that loads them has an origin of its own.
        .headers({ 'access-control-allow-origin': '*', 'cache-control': 'no-cache' })
        .type('text/javascript; charset=utf-8')
        .send(await readFile(join(root, name))),
    );
  }
  tokenRoute(app, veridas);
  app.get('/sandbox/veridas', async () => standing(veridas));
  app.post('/sandbox/veridas', async (request, reply) => {
    const { tokenStatus } = (request.body ?? {}) as { tokenStatus?: unknown };
    if (tokenStatus !== undefined && tokenStatus !== null && !isFailure(tokenStatus)) {
      return reply.code(400).send({ error: '"tokenStatus" must be a status from 400 to 599, or null' });
    }
    if (tokenStatus !== undefined) veridas.tokenStatus = tokenStatus ?? undefined;
    return standing(veridas);
  });
  return veridas;
}

/** Veridas's token endpoint on TLS, with a certificate of the sandbox's authority. */
export async function startVeridas(deps: {
  certificates: Certificates;
  veridas?: Veridas;
}): Promise<{ url: string; tokenUrl: string; veridas: Veridas; close(): Promise<void> }> {
  const { key, cert } = deps.certificates;
  const veridas = deps.veridas ?? createVeridas();
  const app = Fastify({ https: { key, cert }, forceCloseConnections: true });
  // Fastify's types tell a TLS server from a plain one; the route does not care.
  tokenRoute(app as unknown as FastifyInstance, veridas);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, tokenUrl: `${url}/veridas/token`, veridas, close: () => app.close() };
}

function tokenRoute(app: FastifyInstance, veridas: Veridas): void {
  // A plugin scope of its own: its form parser must not apply to other routes.
  app.register(async (room) => {
    const forms = ['multipart/form-data', 'application/x-www-form-urlencoded'];
    room.removeContentTypeParser(forms);
    room.addContentTypeParser(
      forms,
      { parseAs: 'buffer' },
      async (request: { headers: Record<string, unknown> }, body: string | Buffer) =>
        new Response(body, { headers: { 'content-type': String(request.headers['content-type']) } })
          .formData()
          .catch(() => new FormData()),
    );
    room.post('/veridas/token', async (request, reply) => {
      const form = request.body instanceof FormData ? request.body : new FormData();
      const { status, body } = veridas.token(form);
      return reply.code(status).headers({ 'cache-control': 'no-store' }).send(body);
    });
  });
}

const isFailure = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 400 && value <= 599;

function standing({ issued, refused, tokenStatus, credentials }: Veridas) {
  return { issued, refused, tokenStatus: tokenStatus ?? null, clientId: credentials.clientId };
}
