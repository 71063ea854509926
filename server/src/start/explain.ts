import { CustodyError } from '@flex-custody/core';
import { systemCode } from '../config/system-code.ts';

/** The line that says how a person corrects this error before the process can run; undefined for other errors. */
export function explain(error: unknown): string | undefined {
  for (let cause: unknown = error, depth = 0; cause !== undefined && depth < 5; depth++) {
    const line = explainOne(cause);
    if (line) return line;
    cause = typeof cause === 'object' && cause !== null && 'cause' in cause ? cause.cause : undefined;
  }
  return error instanceof CustodyError ? error.message : undefined;
}

function explainOne(error: unknown): string | undefined {
  const { address, port, path, message } = error as {
    address?: string;
    port?: number;
    path?: string;
    message?: string;
  };
  const where = path ?? 'CUSTODY_DATA_DIR';
  switch (systemCode(error)) {
    case 'EADDRINUSE':
      return `port ${port} on ${address} is in use: stop the program that listens there, or set PORT (or CUSTODY_OPS_PORT) to a free one`;
    case 'EADDRNOTAVAIL':
      return `this machine has no address ${address}: set HOST (or CUSTODY_OPS_HOST) to one that it has`;
    case 'EACCES':
    case 'EPERM':
      return port === undefined
        ? `this user may not write ${where}: change the owner of the folder, or set CUSTODY_DATA_DIR to another`
        : `this user may not listen on port ${port}: set PORT to one above 1023`;
    case 'EROFS':
      return `${where} cannot be written: set CUSTODY_DATA_DIR to a writable folder`;
    case 'ENOSPC':
    case '53100':
      return 'the disk is full: free some space where CUSTODY_DATA_DIR is, or set it to another disk';
    default:
      return /no space left on device/i.test(message ?? '')
        ? 'the disk is full: free some space where CUSTODY_DATA_DIR is, or set it to another disk'
        : undefined;
  }
}
