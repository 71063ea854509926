import { CustodyError } from '@flex-custody/core';
import type { FlexTokens, Viewer } from '@flex-custody/twilio';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Limits } from './limits.ts';

/**
 * The token in `Authorization: Basic base64("token:" + JWE)`, which is how Flex Insights sends it. Only the first colon
 * separates; the user must be `token`, so that other Basic credentials are never carried to Twilio.
 * @throws CustodyError `token_missing` or `token_malformed` (401)
 */
export function flexTokenOf(authorization: string | undefined): string {
  if (authorization === undefined) {
    throw new CustodyError('token_missing', 'no Authorization header');
  }
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization.trim())?.[1];
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('latin1');
  const colon = text.indexOf(':');
  if (colon < 0 || text.slice(0, colon) !== 'token') {
    throw new CustodyError('token_malformed', 'Authorization is not Basic with the user "token"');
  }
  return text.slice(colon + 1);
}

export type ViewerOf = (request: FastifyRequest, reply: FastifyReply) => Promise<Viewer>;

/**
 * The viewer of a request, by its Flex token; refuses a token that Twilio's IAM does not accept. Only refused tokens of an
 * address count against its limit of requests to IAM.
 */
export function flexViewer(
  flexTokens: FlexTokens,
  { addresses, strangers }: Pick<Limits, 'addresses' | 'strangers'>,
): ViewerOf {
  return async (request, reply) => {
    let counted: string | undefined;
    const count = () => {
      const address = addresses.of(request);
      if (address === undefined) return;
      strangers.count(address);
      counted = address;
    };
    try {
      const viewer = await flexTokens.validate(flexTokenOf(request.headers.authorization), count);
      if (counted !== undefined) strangers.takeBack(counted);
      return viewer;
    } catch (error) {
      const noVerdict = error instanceof CustodyError && error.code === 'iam_unavailable';
      if (noVerdict && counted !== undefined) strangers.takeBack(counted);
      // RFC 9110, 11.6.1: a 401 names the scheme it wants.
      if (error instanceof CustodyError && error.status === 401) {
        reply.header('WWW-Authenticate', 'Basic realm="flex-custody", charset="UTF-8"');
      }
      throw error;
    }
  };
}
