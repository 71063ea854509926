import { CustodyError } from '@flex-custody/core';
import { verifyRequest } from '@flex-custody/vault';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

export const signatureHeader = 'x-custody-signature';

/** A JSON body stays the text it came as: what is signed is those characters, and nothing is parsed before that held. */
export function keepBodyAsText(scope: FastifyInstance): void {
  scope.removeContentTypeParser('application/json');
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    done(null, body);
  });
}

/** The body in a scope that {@link keepBodyAsText keeps it as text}. */
export const textOf = (body: unknown): string => (typeof body === 'string' ? body : '');

/**
 * Refuses what none of our Functions signed: method, path with query, and body.
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
  throw new CustodyError('signature_invalid', 'not signed by one of our Functions, or too long ago');
}

/**
 * Closes a scope to all but our own Functions, who share a secret with us.
 * @param secrets newest first; the second one is still taken while they rotate
 */
export function requireFunctionSignature(
  scope: FastifyInstance,
  secrets: readonly string[],
  now: () => number = Date.now,
): void {
  keepBodyAsText(scope);
  scope.addHook('preValidation', async (request, reply) => verifySignature(request, reply, secrets, now()));
}
