import type { FlexTokens } from '@flex-custody/twilio';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Teller } from '../../recorder/index.ts';
import { flexViewer } from './flex-token.ts';
import { keepBodyAsText, signatureHeader, verifySignature } from './function-signature.ts';

export interface TellerParts {
  flexTokens: FlexTokens;
  /** Shared with the Functions; newest first. */
  secrets: readonly string[];
  /** Epoch ms; the signature's clock. */
  now?: () => number;
}

/**
 * Closes a scope to all but our Functions, by their signature, and Flex's users, by their token. Who signs is never taken
 * for a user instead when the signature does not hold. Bodies of the scope stay text.
 * @returns who asks; only to be called in the scope's handlers
 */
export function requireTeller(
  scope: FastifyInstance,
  { flexTokens, secrets, now = Date.now }: TellerParts,
): (request: FastifyRequest) => Teller {
  const tellers = new WeakMap<FastifyRequest, Teller>();
  const viewerOf = flexViewer(flexTokens);
  keepBodyAsText(scope);
  const isSigned = (request: FastifyRequest) => request.headers[signatureHeader] !== undefined;
  // Before the body is taken in: a stranger's is not.
  scope.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    if (isSigned(request) || request.method === 'OPTIONS' || request.routeOptions.config.allow !== undefined)
      return;
    tellers.set(request, { by: 'browser', viewer: await viewerOf(request, reply) });
  });
  scope.addHook('preValidation', async (request: FastifyRequest, reply: FastifyReply) => {
    if (!isSigned(request) || request.method === 'OPTIONS') return;
    verifySignature(request, reply, secrets, now());
    tellers.set(request, { by: 'function' });
  });
  return (request) => {
    const teller = tellers.get(request);
    if (!teller) throw new Error('the route is outside of the scope that says who asks');
    return teller;
  };
}
