import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault } from '../faults.ts';
import type { Rights } from './rights.ts';
import type { Bucket } from './storage.ts';

/** One authenticated request on one bucket, and maybe one key. */
export interface S3Request {
  bucket: Bucket;
  key: string;
  /** Of the identity that signed it. */
  rights: Rights;
  query: URLSearchParams;
  incoming: IncomingMessage;
  response: ServerResponse;
  /** What the signature says of the body. */
  payload: string;
  /** A fault that concerns the body of this request. */
  fault: Fault | undefined;
}

/** Answers with a document, or with nothing. */
export function answer(
  { response }: Pick<S3Request, 'response'>,
  status: number,
  body = '',
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    ...headers,
    ...(body === '' ? {} : { 'content-type': 'application/xml' }),
    ...(status === 204 || status === 304 ? {} : { 'content-length': Buffer.byteLength(body) }),
  });
  response.end(body);
}

const kept =
  /^(content-type|content-disposition|cache-control|content-language|expires|x-amz-meta-.+|x-amz-server-side-encryption.*|x-amz-storage-class)$/;

const classHeader = 'x-amz-storage-class';

export const storageClassOf = (headers: Record<string, string>): string => headers[classHeader] ?? 'STANDARD';

/** The headers of a put that are given back with the object. */
export function keptHeaders(incoming: IncomingMessage): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (kept.test(name) && typeof value === 'string') found[name] = value;
  }
  if (found['x-amz-server-side-encryption'] === 'aws:kms') {
    found['x-amz-server-side-encryption-aws-kms-key-id'] ??= 'alias/aws/s3';
  }
  // S3 says nothing of the usual class.
  if (found[classHeader] === 'STANDARD') delete found[classHeader];
  const encoding = (incoming.headers['content-encoding'] ?? '').replace(/\baws-chunked\b,?/, '').trim();
  if (encoding) found['content-encoding'] = encoding;
  return found;
}

/** The encryption's headers alone: what answers to writes carry. */
export function encryptionHeaders(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith('x-amz-server-side-encryption')),
  );
}
