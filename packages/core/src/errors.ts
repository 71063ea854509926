import { type ErrorCode, errorTable, isErrorCode } from './error-table.ts';

/**
 * The one error type of every room: `code` is stable and for machines, `status` is what HTTP answers,
 * `retryable` says whether the same call may succeed later. Both come from the row of the code in
 * {@link errorTable}. The message is for the log and the operator; a status of 500 and above never shows it to a client.
 */
export class CustodyError extends Error {
  /** An {@link ErrorCode}, unless it came from elsewhere ({@link errorOf}). */
  readonly code: string;
  readonly status: number;
  readonly retryable: boolean;

  /** @param options `retryable` where the caller knows more than the table does, with its reason in a comment there */
  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const [status, retryable] = errorTable[code];
    this.name = 'CustodyError';
    this.code = code;
    this.status = status;
    this.retryable = options.retryable ?? retryable;
  }
}

class ForeignError extends CustodyError {
  override readonly code: string;
  override readonly status: number;

  constructor(code: string, message: string, options: { cause?: unknown; status?: number }) {
    const known = isErrorCode(code) ? code : undefined;
    super(known ?? 'unexpected', message, {
      ...(options.cause !== undefined && { cause: options.cause }),
      ...(known === undefined && { retryable: false }),
    });
    this.code = code;
    this.status = options.status ?? errorTable[known ?? 'unexpected'][0];
  }
}

/**
 * An error by a code that came from outside: from the answer of another process, or from a stored row. It keeps the code
 * where the table lacks it, as that of another release; such an error is not retryable, and its status is 500.
 * @param options `status` where the other process answered with one
 */
export function errorOf(
  code: string,
  message: string,
  options: { cause?: unknown; status?: number } = {},
): CustodyError {
  return new ForeignError(code, message, options);
}

/** True when a later, identical attempt may succeed. What is not ours is an accident of the outside world: retry it. */
export function isRetryable(error: unknown): boolean {
  return error instanceof CustodyError ? error.retryable : true;
}

/** The stable code of an error, for reports and metrics; `unexpected` for what is not a {@link CustodyError}. */
export function errorCode(error: unknown): string {
  return error instanceof CustodyError ? error.code : 'unexpected';
}
