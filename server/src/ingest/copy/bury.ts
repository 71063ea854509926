import type { AlarmCode } from '../../alarms/alarm-table.ts';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { DeadJob, OfRecording } from '../../queue/job.ts';
import type { IngestDeps } from '../deps.ts';
import { passingReasons } from '../failures.ts';
import { giveUp } from '../give-up.ts';
import { isHeld } from '../intake/lease.ts';
import { abandonUpload } from './abandon-upload.ts';

/**
 * What becomes of a recording whose copy or verification has failed for good: it is a dead letter, listed as failed with the
 * reason, and an alarm says so. What failed for an outage that outlasted all tries is tried again by the janitor, hour by hour.
 * @param turn states of the recording in which it waits for this job: a later job, or the holder of a lease, may have carried it
 *   past this one's failure
 */
export async function buryRecording(
  deps: IngestDeps,
  { data: { recordingSid: sid }, error: { code } }: DeadJob<OfRecording>,
  turn: readonly RecordingRow['state'][],
  alarm: { code: AlarmCode; detail: string },
): Promise<void> {
  const row = await deps.catalog.find(sid);
  if (!row || !turn.includes(row.state) || isHeld(row)) return;
  await giveUp(deps, sid, code, alarm);
  if (!passingReasons.includes(code)) await abandonUpload(deps, sid);
}

export const copyDead = (deps: IngestDeps, dead: DeadJob<OfRecording>): Promise<void> =>
  buryRecording(deps, dead, ['registered', 'copying'], { code: 'copy_failed', detail: dead.error.code });
