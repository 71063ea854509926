import { CustodyError, errorCode, fieldsOf, isRetryable } from '@flex-custody/core';
import type { DeadJob } from './job.ts';

/** The code and message of a failed try; nothing else is kept, since a vendor's error may contain its request, with credentials. */
export function failureOf(error: unknown): DeadJob['error'] {
  return {
    code: errorCode(error),
    retryable: isRetryable(error),
    message:
      error instanceof CustodyError ? error.message : error instanceof Error ? error.name : 'unexpected',
  };
}

/** The same, read from the database. */
export function readFailure(output: unknown): DeadJob['error'] {
  const fields = fieldsOf(output);
  return typeof fields['code'] === 'string'
    ? {
        code: fields['code'],
        message: String(fields['message'] ?? ''),
        retryable: fields['retryable'] === true,
      }
    : { code: 'expired', message: 'the last try took too long, or its process ended', retryable: true };
}
