import { CustodyError, type ErrorCode } from '@flex-custody/core';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

/** Our codes for Fastify's own refusals. */
const frameworkCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media_type_unsupported',
  FST_ERR_BAD_URL: 'url_invalid',
};

/** Codes of a 5xx that callers can use: docs/playback.md has them. Every other one becomes `internal`. */
const awayCodes: ReadonlySet<string> = new Set<ErrorCode>([
  'audit_unavailable',
  'database_unavailable',
  'iam_unavailable',
  'media_unavailable',
  'store_busy',
  'store_unavailable',
  'twilio_unavailable',
  'webhook_unverified',
]);

const retryAfterSeconds = 5;

/**
 * Answers an error with `{error: code}`. Messages are only logged: they may contain what a caller must not learn, and those of
 * other libraries may contain anything. Most codes of a 5xx are only logged too.
 */
export function answerError(
  error: FastifyError | CustodyError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const ours = error instanceof CustodyError;
  const status = ours ? error.status : statusOf(error);
  const code = ours
    ? error.code
    : status >= 500
      ? 'internal'
      : (frameworkCodes[error.code] ?? 'request_invalid');
  if (status >= 500) request.log.error({ err: error, route: request.routeOptions.url }, 'request failed');
  if (status === 503 || status === 429) reply.header('Retry-After', retryAfterSeconds);
  // RFC 9110, 11.6.1: a 401 names a scheme. A token in a URL is a bearer token (RFC 6750), and unlike Basic that scheme
  // makes no browser ask for a password. A route that needs another scheme has set its header before.
  if (status === 401 && !reply.hasHeader('WWW-Authenticate')) {
    reply.header('WWW-Authenticate', 'Bearer realm="flex-custody"');
  }
  request.errorCode = code;
  const answered = status < 500 || awayCodes.has(code) ? code : 'internal';
  return reply.code(status).type('application/json; charset=utf-8').send({ error: answered });
}

export function answerNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  request.errorCode = 'not_found';
  return reply.code(404).send({ error: 'not_found' });
}

function statusOf(error: FastifyError): number {
  const { statusCode } = error;
  return statusCode !== undefined && statusCode >= 400 && statusCode <= 599 ? statusCode : 500;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The code of the answer, for the request log. */
    errorCode?: string;
  }
}
