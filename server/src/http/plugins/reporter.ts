import type { FlexTokens, Viewer } from '@flex-custody/twilio';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { flexViewer } from './flex-token.ts';
import { keepBodyAsText, signatureHeader, verifySignature } from './function-signature.ts';
import type { Limits } from './limits.ts';

export interface ReporterDeps {
  flexTokens: FlexTokens;
  limits: Pick<Limits, 'addresses' | 'strangers'>;
  /** Shared with the Functions; newest first. */
  secrets: readonly string[];
  /** Epoch ms; the signature's clock. */
  now?: () => number;
}

/**
 * The sender: a browser, with the Flex token of its user, or one of our Functions, by its signature. The signature alone
 * gives no right to report: a Function's report needs an agent's token in its body.
 */
export type ReportSender = { by: 'function' } | { by: 'browser'; viewer: Viewer };

/**
 * Opens a scope only to our Functions, by their signature, and to Flex's users, by their token. A request with an invalid
 * signature is refused, even if it has a token. Bodies of the scope stay text.
 * @returns the sender of a request; call it only in the scope's handlers
 */
export function requireReporter(
  scope: FastifyInstance,
  { flexTokens, limits, secrets, now = Date.now }: ReporterDeps,
): (request: FastifyRequest) => ReportSender {
  const askers = new WeakMap<FastifyRequest, ReportSender>();
  const viewerOf = flexViewer(flexTokens, limits);
  keepBodyAsText(scope);
  const isSigned = (request: FastifyRequest) => request.headers[signatureHeader] !== undefined;
  // Before the body is read: a body of an unknown sender is not read.
  scope.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    if (isSigned(request) || request.method === 'OPTIONS' || request.routeOptions.config.allow !== undefined)
      return;
    askers.set(request, { by: 'browser', viewer: await viewerOf(request, reply) });
  });
  scope.addHook('preValidation', async (request: FastifyRequest, reply: FastifyReply) => {
    if (!isSigned(request) || request.method === 'OPTIONS') return;
    verifySignature(request, reply, secrets, now());
    askers.set(request, { by: 'function' });
  });
  return (request) => {
    const asker = askers.get(request);
    if (!asker) throw new Error('the route is outside of the scope that identifies senders');
    return asker;
  };
}
