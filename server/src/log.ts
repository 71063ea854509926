import { CustodyError } from '@flex-custody/core';
import pino from 'pino';
import type { LogLevel } from './config.ts';

export type Logger = pino.Logger;

/**
 * What never reaches the log, in any field or text: the check reads the whole finished line, since a vendor's error message or
 * a URL may contain any of it.
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

/** Runs of characters that may be a bare token, signed or encrypted; each is checked once. */
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

/** One JSON object a line, on standard output, or in tests to another stream. */
export function createLog(level: LogLevel, destination?: { write(line: string): void }): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: describeError, error: describeError },
    hooks: { streamWrite: redact },
  };
  // Asynchronous, since a synchronous write would block all requests. The rest is written as the process ends.
  return pino(options, destination ?? pino.destination({ dest: 1, sync: false }));
}

/**
 * Only the fields of an error that are known to be harmless. Errors of vendors may contain requests with their headers, so no
 * field is logged that is not named here.
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
