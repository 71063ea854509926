import Fastify, { type FastifyInstance } from 'fastify';
import type { Certificates } from '../certificates.ts';
import { accountRoutes, attributeRoutes } from './attribute-routes.ts';
import { contactRoutes } from './contact-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { gate } from './gate.ts';
import { listRoutes } from './list-routes.ts';
import { type Brevo, createBrevo } from './state.ts';

export { brevoControls } from './controls.ts';
export { usualLists } from './lists.ts';
export { type Brevo, createBrevo } from './state.ts';

/** Registers Brevo's API v3 below a path, such as `/v3`. */
export function brevoRoutes(app: FastifyInstance, brevo: Brevo, prefix: string): void {
  app.register(
    async (room) => {
      // An empty body is no fault of a DELETE that says it sends JSON.
      room.removeContentTypeParser('application/json');
      room.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
        if (body === '') return done(null, undefined);
        return room.getDefaultJsonParser('error', 'error')(request, String(body), done);
      });
      gate(room, brevo, prefix);
      for (const routes of [contactRoutes, listRoutes, attributeRoutes, eventRoutes]) routes(room, brevo);
      accountRoutes(room);
    },
    { prefix },
  );
}

export interface BrevoServer {
  brevo: Brevo;
  /** Such as https://127.0.0.1:4443/v3, or http without certificates. */
  apiUrl: string;
  port: number;
  close(): Promise<void>;
}

/** Brevo's API on a free port of loopback: on TLS where there are certificates, as api.brevo.com is reached by the proxy. */
export async function startBrevo(
  options: { certificates?: Pick<Certificates, 'key' | 'cert'>; brevo?: Brevo } = {},
): Promise<BrevoServer> {
  const brevo = options.brevo ?? createBrevo();
  const common = { forceCloseConnections: true, bodyLimit: 1024 * 1024 } as const;
  const { certificates } = options;
  // Fastify's types tell a TLS server from a plain one; the routes do not care.
  const app = (certificates
    ? Fastify({ ...common, https: { key: certificates.key, cert: certificates.cert } })
    : Fastify(common)) as unknown as FastifyInstance;
  brevoRoutes(app, brevo, '/v3');
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { brevo, apiUrl: `${url}/v3`, port: Number(new URL(url).port), close: () => app.close() };
}
