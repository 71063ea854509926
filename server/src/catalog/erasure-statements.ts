import type { Catalog } from './catalog.ts';
import { mostRows, noLease, type Statements } from './statements.ts';

interface Gone {
  task_sid: string | null;
  conference_sid: string | null;
  call_sid: string | null;
}

/** The end of a recording, from the first step to the last. */
export function erasureStatements({
  accountSid,
  db,
  move,
  rows,
  set,
}: Statements): Pick<Catalog, 'selected' | 'erasing' | 'wasRemoved' | 'erased' | 'unfinishedErasures'> {
  return {
    selected: ({ recordings, tasks, callers, startedBefore }, after, limit) =>
      rows({
        where: `erased_at IS NULL AND ($5::text IS NULL OR recording_sid COLLATE "C" > $5)
           AND (recording_sid = ANY($1::text[]) OR task_sid = ANY($2::text[])
             OR (caller = ANY($3::text[]) AND NOT 'caller' = ANY(unproven))
             OR started_at < $4::timestamptz)`,
        rest: `ORDER BY recording_sid COLLATE "C" LIMIT $6`,
        values: [
          recordings ?? [],
          tasks ?? [],
          callers ?? [],
          startedBefore ?? null,
          after ?? null,
          Math.min(limit, mostRows),
        ],
      }),
    erasing: (sid) =>
      move('erased', sid, { set: `link_state = 'unlinked', link_reason = 'erased', ${noLease}` }),
    async wasRemoved(sid, what) {
      await set(
        sid,
        `erasure = jsonb_build_object(
           'versions', coalesce((erasure->>'versions')::int, 0) + $2::int,
           'twilio', CASE WHEN erasure->>'twilio' = 'deleted' THEN 'deleted' ELSE $3::text END,
           'at', $4::text)`,
        [what.versions, what.twilio, what.at],
        `state = 'erased' AND erased_at IS NULL`,
      );
    },
    erased: (sid, certificate) =>
      db.transaction(async (inner) => {
        const gone = await inner.query<Gone>(
          `WITH before AS (SELECT recording_sid, task_sid, conference_sid, call_sid FROM recordings
             WHERE recording_sid = $1 AND account_sid = $3 FOR UPDATE)
           UPDATE recordings SET
             call_sid = NULL, conference_sid = NULL, task_sid = NULL, reservation_sid = NULL, worker_sid = NULL,
             queue = NULL, direction = NULL, caller = NULL, hints = '{}', duration_seconds = NULL, object = NULL,
             sidecar = NULL, verified_at = NULL, source_deleted_at = NULL, source_encrypted = false,
             source_completed = false, forwarded_at = NULL, failure = NULL, erasure = NULL, proof = NULL,
             unproven = '{}', hinted_callers = '{}', copied_by = NULL, host_only = false, proof_tried_at = NULL, started_at = now(),
             created_at = now(), updated_at = now(), erased_at = now(), certificate = $2
           FROM before
           WHERE recordings.recording_sid = before.recording_sid AND state = 'erased' AND erased_at IS NULL
           RETURNING before.task_sid, before.conference_sid, before.call_sid`,
          [sid, certificate, accountSid],
        );
        const [row] = gone;
        if (!row) return false;
        await inner.query('DELETE FROM uploads WHERE recording_sid = $1', [sid]);
        await inner.query('DELETE FROM imports WHERE recording_sid = $1', [sid]);
        await inner.query('DELETE FROM alarms WHERE recording_sid = $1', [sid]);
        // What was reported of a call whose last recording is gone has nothing left to be of.
        for (const table of ['reports', 'pauses'])
          await inner.query(
            `DELETE FROM ${table} WHERE task_sid = $1 AND NOT EXISTS (SELECT FROM recordings WHERE task_sid = $1)`,
            [row.task_sid],
          );
        await inner.query(
          `DELETE FROM live_calls live
           WHERE (live.task_sid = $1 OR live.conference_sid = $2 OR live.legs @> ARRAY[$3::text])
             AND NOT EXISTS (SELECT FROM recordings other
               WHERE other.task_sid = live.task_sid OR other.conference_sid = live.conference_sid
                 OR other.call_sid = ANY(live.legs))`,
          [row.task_sid, row.conference_sid, row.call_sid],
        );
        return true;
      }),
    unfinishedErasures: (limit) =>
      rows({
        where: `state = 'erased' AND erased_at IS NULL`,
        rest: 'ORDER BY recording_sid LIMIT $1',
        values: [Math.min(limit, mostRows)],
      }),
  };
}
