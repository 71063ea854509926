import { CustodyError } from '@flex-custody/core';
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';

const known: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Answers 405 with `Allow` to a method that a route of the scope does not have, before anything else of the request is
 * checked. Call it before the routes are registered, each with all its methods in one registration.
 * Source: RFC 9110, 15.5.6
 * @param preflight the scope answers OPTIONS by a route of its own, as {@link cors} does
 */
export function refuseOtherMethods(scope: FastifyInstance, { preflight = false } = {}): void {
  scope.addHook('onRoute', (route) => {
    const own = [route.method].flat();
    if (own.includes('OPTIONS') || route.config?.allow !== undefined) return;
    const allowed = preflight ? [...own, 'OPTIONS'] : own;
    scope.route({
      method: known.filter((method) => !allowed.includes(method)),
      url: route.url,
      config: { allow: allowed.join(', ') },
      exposeHeadRoute: false,
      onRequest: refuse,
      handler: refuse,
    });
  });
}

async function refuse(request: FastifyRequest, reply: FastifyReply): Promise<never> {
  reply.header('Allow', request.routeOptions.config.allow);
  throw new CustodyError('method_not_allowed', 'the route does not have this method');
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set on a route that only answers which methods exist. */
    allow?: string;
  }
}
