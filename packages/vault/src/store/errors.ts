import { CustodyError } from '@flex-custody/core';

/** What S3 and the SDK say, as far as anybody can act on it. */
export interface StoreFailure {
  status: number | undefined;
  name: string;
}

export function failureOf(error: unknown): StoreFailure {
  if (typeof error !== 'object' || error === null) return { status: undefined, name: 'unknown' };
  const { name, code, $metadata } = error as {
    name?: string;
    code?: string;
    $metadata?: { httpStatusCode?: number };
  };
  return { status: $metadata?.httpStatusCode, name: code ?? name ?? 'unknown' };
}

/**
 * An error of the SDK as one of ours. What an operator can put right (a bucket, a right, a credential) is retryable:
 * a copy must not be lost because a policy was wrong for an hour.
 */
export function storeError(error: unknown, bucket: string, key?: string): CustodyError {
  if (error instanceof CustodyError) return error;
  const { status, name } = failureOf(error);
  const where = key === undefined ? `bucket ${bucket}` : `${key} in bucket ${bucket}`;
  const fail = (code: string, message: string, http: number, retryable: boolean) =>
    new CustodyError(code, message, { status: http, retryable, cause: error });
  if (name === 'NoSuchBucket' || status === 301) {
    return fail('store_denied', `bucket ${bucket} is not there, or in another region`, 503, true);
  }
  if (status === 404 && name !== 'NoSuchUpload')
    return fail('object_missing', `${where} is not there`, 404, false);
  if (status === 412)
    return fail('object_changed', `${where} is not the version that was asked for`, 412, false);
  if (status === 416) return fail('object_range', `${where} has no such range`, 416, false);
  if (status === 401 || status === 403)
    return fail('store_denied', `S3 refuses ${where} (${name})`, 503, true);
  return fail('store_unavailable', `S3 failed on ${where} (${status ?? 'no answer'}, ${name})`, 503, true);
}

/** The next step for whoever sets the store up. */
export function setUpAdvice(error: unknown, bucket: string, endpoint: string | undefined): string {
  const { status, name } = failureOf(error);
  if (name === 'NoSuchBucket') return `bucket ${bucket} does not exist: create it, or correct its name`;
  if (status === 301 || name === 'AuthorizationHeaderMalformed') {
    return `bucket ${bucket} is in another region: set AWS_REGION to its own`;
  }
  if (name === 'InvalidAccessKeyId' || name === 'SignatureDoesNotMatch') {
    return 'S3 does not know these credentials: check the access key id and its secret';
  }
  if (name === 'CredentialsProviderError')
    return 'no credentials: give an access key, or run where a role lends them';
  if (status === 403) {
    return `these credentials may not write to bucket ${bucket}: allow s3:PutObject, s3:AbortMultipartUpload, s3:ListMultipartUploadParts, s3:ListBucket and, for a reader, s3:GetObject`;
  }
  if (status === undefined)
    return `no answer from ${endpoint ?? 'S3'} (${name}): check the endpoint and the network`;
  return `S3 answered ${status} (${name})`;
}
