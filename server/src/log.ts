import { CustodyError } from '@flex-custody/core';
import pino from 'pino';
import type { LogLevel } from './config.ts';

export type Logger = pino.Logger;

/**
 * What never reaches the log, whatever field or text it stands in: the whole finished line is looked at, since a vendor's
 * error message or a URL may carry any of it.
 */
const unspeakable: readonly [RegExp, string][] = [
  [
    /("(?:authorization|cookie|[a-z_]*(?:token|secret|password|signature|lease))":)"(?:[^"\\]|\\.)*"/gi,
    '$1"[redacted]"',
  ],
  [/\b(Basic|Bearer)\s+[\w+/=.~-]+/gi, '$1 [redacted]'],
  [/([?&](?:token|X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token)=)[^&\s"\\]+/gi, '$1[redacted]'],
  [/\+\d{7,}/g, '[redacted]'],
];

/** What may be a signed or encrypted token, bare: each such run of signs is looked at once. */
const tokenSigns = /[\w.-]{13,}/g;
const partsAtLeast = 3;
const firstPartAtLeast = 11;

export function redact(line: string): string {
  const spoken = unspeakable.reduce((text, [what, instead]) => text.replace(what, instead), line);
  return spoken.replace(tokenSigns, withoutToken);
}

/** A token's first part begins with `eyJ`, which is `{"` in base64url. */
function withoutToken(run: string): string {
  const parts = run.split('.');
  let start = 0;
  for (const [index, part] of parts.entries()) {
    if (parts.length - index < partsAtLeast) break;
    const at = part.search(/(?<!\w)eyJ/);
    if (at >= 0 && part.length - at >= firstPartAtLeast) return `${run.slice(0, start + at)}[redacted]`;
    start += part.length + 1;
  }
  return run;
}

/** One JSON object a line, on standard output unless a test wants it elsewhere. */
export function createLog(level: LogLevel, destination?: { write(line: string): void }): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: describeError, error: describeError },
    hooks: { streamWrite: redact },
  };
  // Written while the work goes on: a line's own write would hold up everybody. What is left is written as the process ends.
  return pino(options, destination ?? pino.destination({ dest: 1, sync: false }));
}

/**
 * Of an error only what is known to be harmless. Vendors hang requests with their headers on theirs, so nothing is taken
 * that is not named here.
 */
function describeError(error: unknown, depth = 0): unknown {
  if (typeof error !== 'object' || error === null) return error;
  const { name, message, stack, code, cause } = error as Error & { code?: unknown };
  return {
    type: name,
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    message,
    ...(error instanceof CustodyError && { status: error.status, retryable: error.retryable }),
    ...(depth === 0 && { stack }),
    ...(cause !== undefined && depth < 4 && { cause: describeError(cause, depth + 1) }),
  };
}
