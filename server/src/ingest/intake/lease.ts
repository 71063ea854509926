import type { RecordingSid, SealedObject } from '@flex-custody/core';
import type { IntakeCatalog } from '../../catalog/intake-catalog.ts';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { IngestDeps } from '../deps.ts';
import { discard } from './surplus.ts';

/** True while a writer may be copying the recording: its lease has not lapsed at `now`, epoch ms. */
export function isHeld(row: RecordingRow, now: number = Date.now()): boolean {
  return row.state === 'copying' && row.leaseUntil !== undefined && row.leaseUntil.getTime() > now;
}

/**
 * Makes an object the recording's copy, which ends the lease. If the writer has lost the lease, the object is surplus and
 * is removed.
 * @returns whether it is now the recording's copy
 */
export async function sealUnder(
  deps: Pick<IngestDeps, 'catalog' | 'log' | 'store'>,
  sid: RecordingSid,
  lease: string,
  object: SealedObject,
  channels: 1 | 2,
  by: Parameters<IntakeCatalog['sealed']>[4],
): Promise<boolean> {
  if (await deps.catalog.sealed(sid, lease, object, channels, by)) return true;
  await discard(deps, sid, object);
  return false;
}
