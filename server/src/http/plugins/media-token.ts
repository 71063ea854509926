import { asRecordingSid, CustodyError, type RecordingSid } from '@flex-custody/core';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** A request by link: the recording its path names, and the token its query carries. */
export interface LinkRequest {
  recordingSid: RecordingSid;
  token: string | undefined;
}

/**
 * Reads `/<…>/RE….wav?token=…`. Of several tokens only the first one counts, so that the verified token is the one that is
 * used.
 * @throws CustodyError `not_found` (404) where the path names no recording
 */
export function linkRequestOf(request: FastifyRequest): LinkRequest {
  const { file } = request.params as { file?: string };
  const recordingSid = asRecordingSid(file?.endsWith('.wav') ? file.slice(0, -'.wav'.length) : undefined);
  if (!recordingSid) throw new CustodyError('not_found', 'the path names no recording');
  const { token } = request.query as { token?: unknown };
  const first: unknown = Array.isArray(token) ? token[0] : token;
  return { recordingSid, token: typeof first === 'string' ? first : undefined };
}

/** The token is in the URL, so no cache may keep it and no page pass it on. Set before anything can fail. */
export async function guardLink(_request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.headers({
    'Cache-Control': 'private, no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
}
