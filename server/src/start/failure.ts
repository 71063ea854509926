import { CustodyError, errorTable, isErrorCode } from '@flex-custody/core';
import { envFileNote } from '../config/env-file.ts';
import { explain } from './explain.ts';

/** An error as a process reports it before it ends; `next` is empty if the table has no step for its code. */
export interface Failure {
  code: string;
  message: string;
  next: string;
}

export function failureOf(error: unknown): Failure {
  const code = error instanceof CustodyError ? error.code : 'unexpected';
  const explained = explain(error);
  if (!(error instanceof CustodyError) && explained === undefined)
    return {
      code,
      message: String(error),
      next: 'Run it again with --verbose, which prints where this happened.',
    };
  const [, , , next = ''] = isErrorCode(code) && code !== 'unexpected' ? errorTable[code] : [];
  // If the table refers to the message, the message has the step.
  return { code, message: explained ?? String(error), next: next.startsWith('The message ') ? '' : next };
}

/** For standard error: code, message and next step; a message of several lines starts below the code. */
export function failureText({ code, message, next }: Failure): string {
  const note = code === 'config_invalid' ? envFileNote() : undefined;
  return [
    message.includes('\n') ? `${code}:\n${message}` : `${code}: ${message}`,
    ...(next === '' ? [] : [`→ ${next}`]),
    ...(note === undefined ? [] : [note]),
  ].join('\n');
}
