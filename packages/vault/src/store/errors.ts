import { CustodyError, errorOf } from '@flex-custody/core';
import { failureOf, type StoreFailure } from './failure.ts';
import { meaningOf } from './meanings.ts';

/** An error of the SDK as one of ours, by the table of meanings; its message is `fault: next step`. */
export function storeError(error: unknown, bucket: string, key?: string): CustodyError {
  if (error instanceof CustodyError) return error;
  const failure = failureOf(error);
  const where = key === undefined ? `bucket ${bucket}` : `${key} in bucket ${bucket}`;
  const { code, says } = meaningOf(failure);
  return new CustodyError(code, says({ ...failure, bucket, where }), { cause: error });
}

/** A redirect or a 400 that gives no reason: HEAD's answers have no body. */
export const isUnexplained = ({ status = 0, name }: StoreFailure): boolean =>
  (status === 400 || (status >= 300 && status < 400 && status !== 304)) &&
  /^(unknown|BadRequest|\d+)$/i.test(name);

/** Whether the store does not know what it was asked for, and will not know it later. */
export const isUnsupported = (error: unknown): boolean =>
  (error instanceof CustodyError ? error.code : meaningOf(failureOf(error)).code) === 'store_unsupported';

/** The same for the operator who sets the store up: what a writer needs, and where it was looked for. */
export function setUpError(error: unknown, bucket: string, endpoint: string | undefined): CustodyError {
  const found = storeError(error, bucket);
  const { status, name } = failureOf(error);
  const fail = (message: string) => errorOf(found.code, message, { cause: error });
  if (found.code === 'store_denied' && status === 403 && name !== 'NoSuchBucket')
    return fail(
      `these credentials may not write to bucket ${bucket}: allow s3:PutObject, s3:AbortMultipartUpload, s3:ListMultipartUploadParts, s3:ListBucket and, for a reader, s3:GetObject`,
    );
  if (found.code === 'store_unavailable' && status === undefined)
    return fail(`no answer from ${endpoint ?? 'S3'} (${name}): check the endpoint and the network`);
  return found;
}
