import { rowColumns, type StoredRow } from './columns.ts';
import type { IntakeCatalog } from './intake-catalog.ts';
import { toRow } from './rows.ts';
import { identity, noProof, type Statements } from './statements.ts';

/** Whether a verified copy is equal to Twilio's media. */
export function proofStatements({ change, db, move }: Statements) {
  return {
    async proven(sid, object, proof) {
      const row = await change<StoredRow>(
        sid,
        {
          set: 'proof = $2::jsonb, proof_tried_at = NULL, source_after = NULL, updated_at = now()',
          where: `state = 'verified' AND object->>'key' = $3 AND object->>'etag' = $4
            AND object->>'versionId' IS NOT DISTINCT FROM $5`,
          values: [JSON.stringify(proof), ...identity(object)],
        },
        rowColumns,
      );
      return row && toRow(row);
    },
    async proofTried(sid) {
      await change(sid, { set: 'proof_tried_at = now()', where: 'proof IS NULL' }, 'recording_sid');
    },
    disproved: (sid, object) =>
      move('disproved', sid, {
        set: `object = NULL, copied_by = NULL, host_only = true, verified_at = NULL, failure = 'audio_differs',
          ${noProof}`,
        where: `object->>'key' = $4 AND object->>'etag' = $5 AND object->>'versionId' IS NOT DISTINCT FROM $6`,
        values: identity(object),
      }),
    async pausedSeconds({ taskSid, hints, linkState, startedAt, durationSeconds }) {
      // A disproved hint names another call.
      const task = taskSid ?? (linkState === 'refused' ? undefined : hints.taskSid);
      if (task === undefined || durationSeconds === undefined) return 0;
      const reports = await db.query<{ kind: string; at: Date; skips: boolean }>(
        `SELECT kind, at, details->>'behavior' IS NOT DISTINCT FROM 'skip' AS skips FROM reports
         WHERE task_sid = $1 AND kind IN ('paused', 'resumed')
         UNION ALL
         -- The host's own resuming has no report.
         SELECT 'resumed', ended_at, false FROM pauses WHERE task_sid = $1 AND ended_at IS NOT NULL
         ORDER BY at`,
        [task],
      );
      return pausedWithin(reports, startedAt.getTime(), durationSeconds * 1_000) / 1_000;
    },
  } satisfies Partial<IntakeCatalog>;
}

/** Milliseconds, within `length` ms from `start`, during which a pause of the kind `skip` was open. */
function pausedWithin(
  reports: readonly { kind: string; at: Date; skips: boolean }[],
  start: number,
  length: number,
): number {
  const end = start + length;
  const within = (time: number) => Math.min(end, Math.max(start, time));
  let paused = 0;
  let since: number | undefined;
  for (const { kind, at, skips } of [...reports, { kind: 'resumed', at: new Date(end), skips: false }]) {
    if (kind === 'paused' && skips) since ??= at.getTime();
    if (kind !== 'resumed' || since === undefined) continue;
    paused += Math.max(0, within(at.getTime()) - within(since));
    since = undefined;
  }
  return paused;
}
