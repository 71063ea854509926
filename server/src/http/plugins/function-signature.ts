import { CustodyError } from '@flex-custody/core';
import { verifyRequest } from '@flex-custody/vault';
import type { FastifyInstance } from 'fastify';

export const signatureHeader = 'x-custody-signature';

/**
 * Closes a scope to all but our own Functions, which sign method, path with query, and body with a shared secret. Inside
 * it a JSON body stays the text it came as: what was signed is those characters, and nothing is parsed before the
 * signature held.
 * @param secrets newest first; the second one is still taken while they rotate
 */
export function requireFunctionSignature(
  scope: FastifyInstance,
  secrets: readonly string[],
  now: () => number = Date.now,
): void {
  scope.removeContentTypeParser('application/json');
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    done(null, body);
  });
  scope.addHook('preValidation', async (request, reply) => {
    const header = request.headers[signatureHeader];
    const body = typeof request.body === 'string' ? request.body : '';
    const given = Array.isArray(header) ? undefined : header;
    if (!verifyRequest(secrets, given, request.method, request.raw.url ?? '', body, now())) {
      reply.header('WWW-Authenticate', 'Custody-Signature realm="flex-custody"');
      throw new CustodyError('signature_invalid', 'not signed by one of our Functions, or too long ago', {
        status: 401,
      });
    }
  });
}
