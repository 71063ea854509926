import { CustodyError } from '@flex-custody/core';
import type { Alarms } from '../alarms/alarms.ts';
import type { KeepingCatalog } from '../catalog/keeping-catalog.ts';

/** Fewer than this in a run are never unusual by their number alone. */
const leastUsual = 100;
const timesUsual = 10;
/** Of a catalog that is large enough for a share to say something. */
const mostShare = 0.05;
const leastCatalog = 200;

/**
 * Stops a run of retention that would erase far more than usual: a policy with a slip in it, or a wrong clock, is seen by
 * somebody before it has cost anything.
 * @param due how many would go
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
  const detail = `${due} of ${size} recordings would be erased at once; usual are ${Math.round(mean ?? 0)}. If that is meant: flex-custody retention --yes`;
  await alarms.raise('retention_braked', undefined, detail);
  throw new CustodyError('retention_braked', detail);
}
