import type { RecordingRow } from '../../catalog/recording-row.ts';

/** True while somebody may be copying the recording: the lease has not lapsed at `now`, epoch ms. */
export function isHeld(row: RecordingRow, now: number = Date.now()): boolean {
  return row.state === 'copying' && row.leaseUntil !== undefined && row.leaseUntil.getTime() > now;
}
