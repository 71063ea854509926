import { CustodyError } from '@flex-custody/core';
import { verifyRequest } from '@flex-custody/vault';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

export const signatureHeader = 'x-custody-signature';

/** Keeps a JSON body as text: the signature covers the text, and nothing is parsed before the signature is checked. */
export function keepBodyAsText(scope: FastifyInstance): void {
  scope.removeContentTypeParser('application/json');
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    done(null, body);
  });
}

/** The body in a scope that {@link keepBodyAsText keeps it as text}. */
export const textOf = (body: unknown): string => (typeof body === 'string' ? body : '');

/**
 * Refuses a request that none of our Functions signed. The signature covers method, path with query, and body.
 * @throws CustodyError `signature_invalid` (401)
 */
export function verifySignature(
  request: FastifyRequest,
  reply: FastifyReply,
  secrets: readonly string[],
  now: number,
): void {
  const header = request.headers[signatureHeader];
  const given = Array.isArray(header) ? undefined : header;
  if (verifyRequest(secrets, given, request.method, request.raw.url ?? '', textOf(request.body), now)) return;
  reply.header('WWW-Authenticate', 'Custody-Signature realm="flex-custody"');
  throw new CustodyError(
    'signature_invalid',
    'no valid signature of one of our Functions, or one that is too old',
  );
}

/**
 * Opens a scope only to our own Functions, which share a secret with the host.
 * @param secrets newest first; the second one is accepted during a rotation
 */
export function requireFunctionSignature(
  scope: FastifyInstance,
  secrets: readonly string[],
  now: () => number = Date.now,
): void {
  keepBodyAsText(scope);
  scope.addHook('preValidation', async (request, reply) => verifySignature(request, reply, secrets, now()));
}
