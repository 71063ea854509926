import type { KeepingCatalog } from '../catalog/keeping-catalog.ts';

/** A run with fewer due recordings is never stopped for their number alone. */
const leastUsual = 100;
const timesUsual = 10;
/** Largest usual share of the catalog; it applies to catalogs above `leastCatalog`. */
const mostShare = 0.05;
const leastCatalog = 200;

/** What is usual for recordings that are erased for one reason. */
export interface Usual {
  /** How many are erased at a time; undefined before the first time. */
  mean: number | undefined;
  /** The command that erases them all the same. */
  command: string;
}

/**
 * Whether far more recordings would be erased than usual, so that an operator sees a mistake in the policy, or a wrong
 * clock, before anything is erased.
 * @param due how many recordings would be erased
 * @returns undefined if they may be erased, else what to tell the operator
 */
export async function brake(
  catalog: Pick<KeepingCatalog, 'size'>,
  due: number,
  { mean = 0, command }: Usual,
): Promise<string | undefined> {
  const size = await catalog.size();
  const isMany =
    due > timesUsual * Math.max(leastUsual, mean) || (size > leastCatalog && due > mostShare * size);
  return isMany
    ? `${due} of ${size} recordings would be erased at once; the usual number is ${Math.round(mean)}. If you intend that: ${command}`
    : undefined;
}
