/**
 * The one error type of every room: `code` is stable and for machines, `status` is what HTTP answers,
 * `retryable` tells a job whether the same call may succeed later. The message is for the log and the operator;
 * a status of 500 and above never shows it to a client.
 */
export class CustodyError extends Error {
  readonly code: string;
  readonly status: number;
  readonly retryable: boolean;

  constructor(
    code: string,
    message: string,
    options: { status?: number; retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CustodyError';
    this.code = code;
    this.status = options.status ?? 500;
    this.retryable = options.retryable ?? false;
  }
}

/** True when a later, identical attempt may succeed. What is not ours is an accident of the outside world: retry it. */
export function isRetryable(error: unknown): boolean {
  return error instanceof CustodyError ? error.retryable : true;
}

/** The stable code of an error, for reports and metrics; `unexpected` for what is not a {@link CustodyError}. */
export function errorCode(error: unknown): string {
  return error instanceof CustodyError ? error.code : 'unexpected';
}
