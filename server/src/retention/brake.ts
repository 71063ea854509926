import { CustodyError } from '@flex-custody/core';
import type { Alarms } from '../alarms/alarms.ts';
import type { KeepingCatalog } from '../catalog/keeping-catalog.ts';

/** A run with fewer due recordings is never stopped for their number alone. */
const leastUsual = 100;
const timesUsual = 10;
/** Largest usual share of the catalog; it applies to catalogs above `leastCatalog`. */
const mostShare = 0.05;
const leastCatalog = 200;

/**
 * Stops a run of retention that would erase far more than usual, so that an operator sees a mistake in the policy, or a
 * wrong clock, before anything is erased.
 * @param due how many recordings would be erased
 * @throws CustodyError `retention_braked`
 */
export async function brake(
  {
    alarms,
    catalog,
  }: {
    alarms: Pick<Alarms, 'raise' | 'resolve'>;
    catalog: Pick<KeepingCatalog, 'size' | 'usuallyRetained'>;
  },
  due: number,
): Promise<void> {
  const [mean, size] = await Promise.all([catalog.usuallyRetained(), catalog.size()]);
  const usual = Math.max(leastUsual, mean ?? 0);
  const isMany = due > timesUsual * usual || (size > leastCatalog && due > mostShare * size);
  if (!isMany) return alarms.resolve(['retention_braked']);
  const detail = `${due} of ${size} recordings would be erased at once; the usual number is ${Math.round(mean ?? 0)}. If you intend that: flex-custody retention --yes`;
  await alarms.raise('retention_braked', undefined, detail);
  throw new CustodyError('retention_braked', detail);
}
