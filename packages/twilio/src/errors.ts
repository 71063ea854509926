import { CustodyError } from '@flex-custody/core';

const statusOf = (error: unknown): number | undefined => {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' ? status : undefined;
};

const codeOf = (error: unknown): string => {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'number' || typeof code === 'string' ? ` (${code})` : '';
};

/** True for Twilio's answer that there is no such resource, or no longer. */
export function isNotFound(error: unknown): boolean {
  return statusOf(error) === 404;
}

/** True for Twilio's answer that the resource changed since its ETag was read. */
export function isChanged(error: unknown): boolean {
  return statusOf(error) === 412;
}

/** True for Twilio's answer that too many requests were made. */
export const isTooMany = (error: unknown): boolean => statusOf(error) === 429;

/** True for Twilio's answer that this cannot be recorded, or its recording not be changed, any more: error 21220. */
export function isOver(error: unknown): boolean {
  return isNotFound(error) || (statusOf(error) === 400 && codeOf(error) === ' (21220)');
}

/** True where Twilio understood what was asked and will not do it; asking again changes nothing. */
export function isRefusal(error: unknown): boolean {
  const status = statusOf(error) ?? 0;
  return status === 400 || status === 409 || status === 422;
}

/**
 * A vendor's error as ours. Only status and code are kept: the SDK's own errors carry the request, and with it the
 * credentials, and would take them into the log.
 */
export function twilioError(what: string, error: unknown): CustodyError {
  if (error instanceof CustodyError) return error;
  const status = statusOf(error);
  const detail = `${what}: ${status === undefined ? 'no answer' : `HTTP ${status}`}${codeOf(error)}`;
  if (status === 401 || status === 403) {
    return new CustodyError(
      'twilio_unauthorized',
      `Twilio does not accept the host's credentials for ${detail}; check TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN or TWILIO_API_KEY`,
    );
  }
  if (status === undefined || status >= 500 || status === 429 || status === 408) {
    return new CustodyError('twilio_unavailable', `Twilio cannot be asked now for ${detail}`);
  }
  return new CustodyError('twilio_refused', `Twilio refused ${detail}`);
}
