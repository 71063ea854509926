import { CustodyError } from '@flex-custody/core';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

/** What Fastify itself refuses, in our words. */
const frameworkCodes: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media_type_unsupported',
  FST_ERR_BAD_URL: 'url_invalid',
};

const retryAfterSeconds = 5;

/**
 * Answers an error with `{error: code}`. A message is for the log alone: a CustodyError's may name what an operator needs
 * and a caller must not learn, and what is not ours may say anything.
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
  if (status === 503) reply.header('Retry-After', retryAfterSeconds);
  request.errorCode = code;
  return reply.code(status).type('application/json; charset=utf-8').send({ error: code });
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
    /** Code that the request was answered with, for the request log. */
    errorCode?: string;
  }
}
