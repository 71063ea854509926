import type { AlarmCode } from '../../alarms/alarm-table.ts';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { DeadJob, OfRecording } from '../../queue/job.ts';
import type { IngestDeps } from '../deps.ts';
import { passingReasons } from '../failures.ts';
import { giveUp } from '../give-up.ts';
import { isHeld } from '../intake/lease.ts';
import { abandonUpload } from './abandon-upload.ts';

/**
 * Makes a recording whose copy or verification has failed for good a dead letter: its state is `failed`, with the reason,
 * and an alarm is raised. If the reason is an outage that outlasted all tries, the janitor tries again every hour.
 * @param turn the states in which the recording waits for this job: in another state a later job, or the holder of a
 * lease, has already continued
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
