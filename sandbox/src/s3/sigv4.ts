import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { S3Error } from './errors.ts';

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
}

export interface SignedRequest {
  method: string;
  /** As on the request line. */
  url: string;
  headers: IncomingHttpHeaders;
}

const algorithm = 'AWS4-HMAC-SHA256';
const skewMs = 15 * 60 * 1000;
const week = 7 * 24 * 60 * 60;

/**
 * Checks Signature Version 4, in the header or in the query.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 * @param of another service than S3, whose signature is over the body itself
 * @returns what the payload was said to be: its SHA-256, `UNSIGNED-PAYLOAD` or a streaming mode
 * @throws S3Error 403 when the signature does not fit, is of another key, too old or too far in the future
 */
export function verifySignature(
  request: SignedRequest,
  known: Credentials,
  nowMs: number,
  { service = 's3', body }: { service?: string; body?: Buffer } = {},
): string {
  const url = new URL(request.url, 'http://host');
  const presigned = url.searchParams.get('X-Amz-Algorithm') !== null;
  const given = presigned ? fromQuery(url) : fromHeader(request.headers);
  if (given.accessKeyId !== known.accessKeyId)
    throw new S3Error(
      403,
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
    );
  const signedAt = dateOf(given.date);
  if (presigned) {
    if (signedAt > nowMs + skewMs) throw new S3Error(403, 'AccessDenied', 'Request is not valid yet');
    if (nowMs > signedAt + given.expires * 1000)
      throw new S3Error(403, 'AccessDenied', 'Request has expired');
  } else if (Math.abs(nowMs - signedAt) > skewMs) {
    throw new S3Error(
      403,
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
    );
  }
  const scope = `${given.date.slice(0, 8)}/${known.region}/${service}/aws4_request`;
  if (given.scope !== scope)
    throw new S3Error(403, 'AuthorizationHeaderMalformed', `The credential scope must be ${scope}`);
  if (!given.signedHeaders.includes('host')) throw mismatch();
  const payload = body
    ? createHash('sha256').update(body).digest('hex')
    : presigned
      ? 'UNSIGNED-PAYLOAD'
      : headerOf(request.headers, 'x-amz-content-sha256');
  if (payload === '')
    throw new S3Error(
      400,
      'InvalidRequest',
      'Missing required header for this request: x-amz-content-sha256',
    );
  const canonical = [
    request.method,
    canonicalPath(url.pathname),
    canonicalQuery(url),
    ...given.signedHeaders.map(
      (name) => `${name}:${headerOf(request.headers, name).trim().replace(/ +/g, ' ')}`,
    ),
    '',
    given.signedHeaders.join(';'),
    payload,
  ].join('\n');
  const toSign = [algorithm, given.date, scope, createHash('sha256').update(canonical).digest('hex')].join(
    '\n',
  );
  const key = [service, 'aws4_request'].reduce(
    hmac,
    hmac(hmac(Buffer.from(`AWS4${known.secretAccessKey}`), given.date.slice(0, 8)), known.region),
  );
  const expected = hmac(key, toSign);
  const signature = Buffer.from(given.signature, 'hex');
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) throw mismatch();
  return payload;
}

/** Whose signature a request claims to carry. @throws S3Error 403 where it carries none */
export function accessKeyOf({ url, headers }: Pick<SignedRequest, 'url' | 'headers'>): string {
  const at = new URL(url, 'http://host');
  return (at.searchParams.has('X-Amz-Algorithm') ? fromQuery(at) : fromHeader(headers)).accessKeyId;
}

interface Given {
  accessKeyId: string;
  scope: string;
  date: string;
  expires: number;
  signedHeaders: string[];
  signature: string;
}

const mismatch = () =>
  new S3Error(
    403,
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided.',
  );

const denied = () => new S3Error(403, 'AccessDenied', 'Access Denied');

function fromHeader(headers: IncomingHttpHeaders): Given {
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]+)$/.exec(
      headers.authorization ?? '',
    );
  if (!parts) throw denied();
  const [, accessKeyId = '', scope = '', signedHeaders = '', signature = ''] = parts;
  const date = headerOf(headers, 'x-amz-date');
  return { accessKeyId, scope, date, expires: 0, signedHeaders: signedHeaders.split(';'), signature };
}

function fromQuery(url: URL): Given {
  const query = url.searchParams;
  const [accessKeyId = '', ...scope] = (query.get('X-Amz-Credential') ?? '').split('/');
  const expires = Number(query.get('X-Amz-Expires') ?? Number.NaN);
  if (query.get('X-Amz-Algorithm') !== algorithm || !(expires > 0 && expires <= week))
    throw new S3Error(
      400,
      'AuthorizationQueryParametersError',
      'X-Amz-Algorithm or X-Amz-Expires is malformed',
    );
  return {
    accessKeyId,
    scope: scope.join('/'),
    date: query.get('X-Amz-Date') ?? '',
    expires,
    signedHeaders: (query.get('X-Amz-SignedHeaders') ?? '').split(';'),
    signature: query.get('X-Amz-Signature') ?? '',
  };
}

function dateOf(text: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!parts) throw denied();
  const [, year, month, day, hour, minute, second] = parts;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function headerOf(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}

/** AWS's URI encoding: everything but the unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const canonicalPath = (path: string) =>
  path
    .split('/')
    .map((part) => encode(decodeURIComponent(part)))
    .join('/');

function canonicalQuery(url: URL): string {
  return [...url.searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort((a, b) => (a < b ? -1 : 1))
    .join('&');
}
