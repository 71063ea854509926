import { CustodyError } from '@flex-custody/core';

/**
 * Why an inventory cannot be used, and what to do: the bucket is listed instead.
 * @param message `fault: next step`
 */
export const unusable = (message: string, cause?: unknown): CustodyError =>
  new CustodyError('inventory_unusable', message, { cause });
