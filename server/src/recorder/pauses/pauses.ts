import type { ConferenceSid, PauseSettings, RecordingSid, TaskSid, WorkerSid } from '@flex-custody/core';
import type { Db } from '../../db/db.ts';

export type PauseEnd = 'function' | 'browser' | 'timer' | 'wrap-up' | 'over';

/** A pause of a call, open or ended. */
export interface Pause {
  conferenceSid: ConferenceSid;
  taskSid: TaskSid;
  /** Time of the newest reported event. */
  lastAt: Date;
  /** Undefined: only the wrap-up ends it. */
  dueAt: Date | undefined;
  dueBy: Extract<PauseEnd, 'timer' | 'function' | 'browser'>;
  /** Recordings that are known to be paused. */
  recordings: RecordingSid[];
  endedAt: Date | undefined;
  endedBy: PauseEnd | undefined;
}

/** The pause, unless it has ended. While it is open its call counts as paused, whatever the task's mark says. */
export const lasting = (pause: Pause | undefined): Pause | undefined => (pause?.endedAt ? undefined : pause);

/** The facts of a proven report of a pause. */
export interface PauseReport {
  conferenceSid: ConferenceSid;
  taskSid: TaskSid;
  at: Date;
}

/** When the host resumes a pause that began `at`; undefined: only the wrap-up ends it. */
export function dueOf(settings: PauseSettings, at: number): Date | undefined {
  return settings.resumeAfterSeconds > 0 ? new Date(at + settings.resumeAfterSeconds * 1_000) : undefined;
}

/** The pauses of calls, one row for each conference. The newest report counts, in whatever order reports arrive. */
export interface Pauses {
  find(conferenceSid: ConferenceSid): Promise<Pause | undefined>;
  /** Opens or renews a pause. False if a newer report is known. */
  paused(
    reported: PauseReport,
    recordings: readonly RecordingSid[],
    dueAt: Date | undefined,
  ): Promise<boolean>;
  /**
   * Makes the next look resume the recordings again, because the report may be wrong or may be followed by another pause.
   * The row is also written before a pause is reported: a late report of its beginning then changes nothing.
   */
  resumed(reported: PauseReport, by: 'function' | 'browser'): Promise<boolean>;
  /** Adds to the recordings known to be paused. */
  alsoPaused(conferenceSid: ConferenceSid, recordings: readonly RecordingSid[]): Promise<void>;
  /** Ends the pause. False if it was renewed or ended after `pause` was read. */
  end(pause: Pause, by: PauseEnd): Promise<boolean>;
  open(): Promise<ConferenceSid[]>;
  /** The worker who reported the newest pause of a call. */
  reporter(conferenceSid: ConferenceSid, taskSid: TaskSid): Promise<WorkerSid | undefined>;
}

interface Row {
  conference_sid: ConferenceSid;
  task_sid: TaskSid;
  last_at: Date;
  due_at: Date | null;
  due_by: Pause['dueBy'];
  recordings: RecordingSid[];
  ended_at: Date | null;
  ended_by: PauseEnd | null;
}

const pauseOf = (row: Row): Pause => ({
  conferenceSid: row.conference_sid,
  taskSid: row.task_sid,
  lastAt: row.last_at,
  dueAt: row.due_at ?? undefined,
  dueBy: row.due_by,
  recordings: row.recordings,
  endedAt: row.ended_at ?? undefined,
  endedBy: row.ended_by ?? undefined,
});

export function createPauses(db: Pick<Db, 'query'>): Pauses {
  const some = async (sql: string, values: readonly unknown[]) =>
    (await db.query<object>(sql, values)).length > 0;
  return {
    async find(conferenceSid) {
      const [row] = await db.query<Row>('SELECT * FROM pauses WHERE conference_sid = $1', [conferenceSid]);
      return row && pauseOf(row);
    },
    paused: ({ conferenceSid, taskSid, at }, recordings, dueAt) =>
      some(
        // Our own resuming undid a pause that began before the resuming ended: no recording of it is known to be paused.
        `INSERT INTO pauses (conference_sid, task_sid, last_at, recordings, due_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (conference_sid) DO UPDATE SET
           task_sid = excluded.task_sid, last_at = excluded.last_at, due_at = excluded.due_at, due_by = 'timer',
           recordings = CASE
             WHEN pauses.ended_at IS NULL THEN pauses.recordings || excluded.recordings
             WHEN pauses.ended_at > excluded.last_at THEN '{}'
             ELSE excluded.recordings END,
           ended_at = NULL, ended_by = NULL
         WHERE pauses.last_at < excluded.last_at RETURNING 1`,
        [conferenceSid, taskSid, at, recordings, dueAt ?? null],
      ),
    resumed: ({ conferenceSid, taskSid, at }, by) =>
      some(
        `INSERT INTO pauses (conference_sid, task_sid, last_at, ended_at, ended_by) VALUES ($1, $2, $3, $3, $4)
         ON CONFLICT (conference_sid) DO UPDATE SET
           last_at = excluded.last_at, due_at = now(), due_by = excluded.ended_by
         WHERE pauses.last_at < excluded.last_at RETURNING 1`,
        [conferenceSid, taskSid, at, by],
      ),
    async alsoPaused(conferenceSid, recordings) {
      await db.query(
        'UPDATE pauses SET recordings = recordings || $2::text[] WHERE conference_sid = $1 AND ended_at IS NULL',
        [conferenceSid, recordings],
      );
    },
    end: ({ conferenceSid, lastAt }, by) =>
      some(
        `UPDATE pauses SET ended_at = now(), ended_by = $3, recordings = '{}'
         WHERE conference_sid = $1 AND last_at = $2 AND ended_at IS NULL RETURNING 1`,
        [conferenceSid, lastAt, by],
      ),
    async open() {
      const rows = await db.query<{ sid: ConferenceSid }>(
        'SELECT conference_sid AS sid FROM pauses WHERE ended_at IS NULL ORDER BY last_at',
      );
      return rows.map(({ sid }) => sid);
    },
    async reporter(conferenceSid, taskSid) {
      const [row] = await db.query<{ worker: WorkerSid | null }>(
        `SELECT worker_sid AS worker FROM reports
         WHERE task_sid = $2 AND kind = 'paused' AND conference_sid = $1 ORDER BY at DESC, id LIMIT 1`,
        [conferenceSid, taskSid],
      );
      return row?.worker ?? undefined;
    },
  };
}
