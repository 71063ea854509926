import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

export interface CorsOptions {
  /** Scheme, host and port, as browsers send them; other origins get no CORS headers. */
  origins: readonly string[];
  /** Request headers that its pages may send. */
  headers?: string;
}

const maxAgeSeconds = 600;
const playing = 'Authorization, Range, If-Range';
const exposed = 'Content-Length, Content-Range, Accept-Ranges, ETag';

/**
 * Lets the configured Flex origins, and no others, read the answers of the scope it is registered in, errors included,
 * and gives each route of the scope its preflight, which browsers send without a token. No credentials mode: Flex sends
 * its token in a header of its own making, never a cookie.
 *
 * Not `@fastify/cors`: that claims `OPTIONS *` for the whole server and names the same methods for every route.
 * Source: https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export const cors = fastifyPlugin<CorsOptions>(
  async (app: FastifyInstance, { origins, headers = playing }) => {
    const allowed = new Set(origins);

    app.addHook('onRequest', async (request, reply) => {
      reply.header('Vary', 'Origin');
      const { origin } = request.headers;
      if (origin === undefined || !allowed.has(origin)) return;
      reply.header('Access-Control-Allow-Origin', origin);
      reply.header('Access-Control-Expose-Headers', exposed);
    });

    app.addHook('onRoute', (route: RouteOptions) => {
      const methods = [route.method].flat();
      if (methods.includes('OPTIONS') || route.config?.allow !== undefined) return;
      app.route({
        method: 'OPTIONS',
        url: route.url,
        handler: (request, reply) => preflight(request, reply, methods),
      });
    });

    function preflight(request: FastifyRequest, reply: FastifyReply, methods: readonly string[]) {
      const { origin } = request.headers;
      if (origin === undefined || !allowed.has(origin)) return reply.callNotFound();
      return reply
        .code(204)
        .headers({
          'Access-Control-Allow-Methods': methods.join(', '),
          'Access-Control-Allow-Headers': headers,
          'Access-Control-Max-Age': String(maxAgeSeconds),
        })
        .send();
    }
  },
);
