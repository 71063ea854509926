import { CustodyError } from '@flex-custody/core';

/**
 * Why an inventory cannot be used, and the next step; the host lists the bucket instead.
 * @param message `fault: next step`
 */
export const unusable = (message: string, cause?: unknown): CustodyError =>
  new CustodyError('inventory_unusable', message, { cause });
