import { CustodyError } from '@flex-custody/core';

/** What is wrong with one setting. */
export interface Fault {
  /** The setting, such as `longCallMinutes` or `advanced.WEBSOCKET_TARGET_URL`. */
  key: string;
  /** Continues a sentence that begins with the key: the bound, a colon, and the next step. It quotes no value. */
  message: string;
}

export const lineOf = ({ key, message }: Fault): string => `${key} ${message}`;

export const invalid = (lines: readonly string[]): CustodyError =>
  new CustodyError('data_source_invalid', lines.join('\n'));
