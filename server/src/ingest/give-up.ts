import type { RecordingSid } from '@flex-custody/core';
import type { AlarmCode } from '../alarms/alarm-table.ts';
import type { IngestDeps } from './deps.ts';
import { logStep } from './log-step.ts';

/** Marks a recording as failed, unless it has already ended, and raises the alarm. */
export async function giveUp(
  deps: Pick<IngestDeps, 'alarms' | 'catalog' | 'log'>,
  sid: RecordingSid,
  failure: string,
  alarm: { code: AlarmCode; detail: string },
): Promise<void> {
  if (!(await deps.catalog.giveUp(sid, failure))) return;
  await deps.alarms.raise(alarm.code, sid, alarm.detail);
  logStep(deps.log, 'failed', sid, { reason: failure });
}
