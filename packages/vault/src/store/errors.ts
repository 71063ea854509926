import { CustodyError } from '@flex-custody/core';
import { meaningOf } from './meanings.ts';

/** What S3 and the SDK say, as far as anybody can act on it. */
export interface StoreFailure {
  status: number | undefined;
  /** As the store or the network calls it; `unknown` where neither does. */
  name: string;
  /** To be looked into, and never to be shown: whoever answered wrote it. */
  message: string;
  /** Where the bucket is, as S3 says. */
  region?: string;
  /** Where S3 sends whoever asks for it. */
  endpoint?: string;
  /** The version that was asked for is the marker of a deletion. */
  deleteMarker?: boolean;
}

interface Thrown {
  name?: unknown;
  code?: unknown;
  message?: unknown;
  Region?: unknown;
  Endpoint?: unknown;
  $metadata?: { httpStatusCode?: number };
  $response?: { headers?: Record<string, string | undefined> };
}

/** What whoever answered may say in a message of ours. */
const plain = (pattern: RegExp, value: unknown): string | undefined =>
  typeof value === 'string' && pattern.test(value) ? value : undefined;
const aName = /^[\w.-]{1,80}$/;
const aRegion = /^[a-z0-9-]{2,40}$/;
const aHost = /^[\w.-]{1,200}(:\d{1,5})?$/;

export function failureOf(error: unknown): StoreFailure {
  if (typeof error !== 'object' || error === null) return { status: undefined, name: 'unknown', message: '' };
  const { name, code, message, Region, Endpoint, $metadata, $response } = error as Thrown;
  const headers = $response?.headers ?? {};
  const region = plain(aRegion, Region) ?? plain(aRegion, headers['x-amz-bucket-region']);
  const endpoint = plain(aHost, Endpoint) ?? plain(aHost, hostOf(headers['location']));
  return {
    status: $metadata?.httpStatusCode,
    name: plain(aName, code) ?? plain(aName, name) ?? 'unknown',
    message: typeof message === 'string' ? message : '',
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(headers['x-amz-delete-marker'] === 'true' && { deleteMarker: true }),
  };
}

const hostOf = (url: string | undefined): string | undefined =>
  url !== undefined && URL.canParse(url) ? new URL(url).host : undefined;

/** An error of the SDK as one of ours, by the table of meanings; its message is `fault: next step`. */
export function storeError(error: unknown, bucket: string, key?: string): CustodyError {
  if (error instanceof CustodyError) return error;
  const failure = failureOf(error);
  const where = key === undefined ? `bucket ${bucket}` : `${key} in bucket ${bucket}`;
  const { code, status, retryable, says } = meaningOf(failure);
  return new CustodyError(code, says({ ...failure, bucket, where }), { status, retryable, cause: error });
}

/** A redirect or a 400 that gives no reason: HEAD's answers have no body. */
export const isUnexplained = ({ status = 0, name }: StoreFailure): boolean =>
  (status === 400 || (status >= 300 && status < 400 && status !== 304)) &&
  /^(unknown|BadRequest|\d+)$/i.test(name);

/** Whether the store does not know what it was asked for, and will not know it later. */
export const isUnsupported = (error: unknown): boolean =>
  (error instanceof CustodyError ? error.code : meaningOf(failureOf(error)).code) === 'store_unsupported';

/** The same for whoever sets the store up: what a writer needs, and where it was looked for. */
export function setUpError(error: unknown, bucket: string, endpoint: string | undefined): CustodyError {
  const found = storeError(error, bucket);
  const { status, name } = failureOf(error);
  const fail = (message: string) =>
    new CustodyError(found.code, message, {
      status: found.status,
      retryable: found.retryable,
      cause: error,
    });
  if (found.code === 'store_denied' && status === 403 && name !== 'NoSuchBucket')
    return fail(
      `these credentials may not write to bucket ${bucket}: allow s3:PutObject, s3:AbortMultipartUpload, s3:ListMultipartUploadParts, s3:ListBucket and, for a reader, s3:GetObject`,
    );
  if (found.code === 'store_unavailable' && status === undefined)
    return fail(`no answer from ${endpoint ?? 'S3'} (${name}): check the endpoint and the network`);
  return found;
}
