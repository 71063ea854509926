import type { TaskSid } from '@flex-custody/core';
import type { Db } from '../../db/db.ts';
import type { Pause } from '../sessions/contact.ts';

/** The pauses of these tasks, by the reports of plugins and Functions, and by the host's own resuming. */
export async function reportedPauses(
  db: Pick<Db, 'query'>,
  tasks: readonly TaskSid[],
): Promise<Map<TaskSid, Pause[]>> {
  const reports = await db.query<{ task: TaskSid; kind: string; at: Date }>(
    `SELECT task_sid AS task, kind, at FROM reports
     WHERE task_sid = ANY($1::text[]) AND kind IN ('paused', 'resumed')
     UNION ALL
     -- The host's own resuming has no report.
     SELECT task_sid, 'resumed', ended_at FROM pauses WHERE task_sid = ANY($1::text[]) AND ended_at IS NOT NULL
     ORDER BY at`,
    [tasks],
  );
  const pauses = new Map<TaskSid, Pause[]>();
  for (const { task, kind, at } of reports) {
    const own = pauses.get(task) ?? [];
    pauses.set(task, own);
    const last = own.at(-1);
    const isOpen = last !== undefined && last.endedAt === undefined;
    if (kind === 'paused' && !isOpen) own.push({ startedAt: at.getTime() });
    else if (kind === 'resumed' && isOpen) last.endedAt = at.getTime();
  }
  return pauses;
}
