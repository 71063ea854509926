import { isObject } from '@flex-custody/core';
import type { Fault } from './fault.ts';
import { secretKeys, secretName } from './fields.ts';

/** Secrets among settings that come from a file or a command line, where they must not be. */
export function secretFaults(given: unknown): Fault[] {
  if (!isObject(given)) return [];
  return secretKeys
    .filter((key) => !['', 'set', 'unset', undefined, null].includes(given[key] as string | null | undefined))
    .map((key) => ({
      key,
      message: `is a secret, and must not be in a file: flex-custody secrets set ${secretName(key)}`,
    }));
}
