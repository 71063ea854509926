import type { ReservationSid, TaskSid } from '@flex-custody/core';
import type { Db } from '../../db/db.ts';
import type { Reason, ReasonCode } from './reasons.ts';

/** The segment that a reason is given for. */
export interface ExplainedSegment {
  reservationSid: ReservationSid;
  taskSid?: TaskSid;
  /** Epoch ms; of its contact. */
  openedAt: number;
}

interface Row {
  sid: ReservationSid;
  reason: ReasonCode;
  comment: string | null;
  by: string;
  at: Date;
}

const columns = 'reservation_sid AS sid, reason, comment, explained_by AS by, explained_at AS at';

const reasonOf = ({ reason, comment, by, at }: Row): Reason => ({
  reason,
  ...(comment !== null && { comment }),
  explainedBy: by,
  explainedAt: at,
});

/** The reason of each of these reservations that has one. */
export async function reasonsOf(
  db: Pick<Db, 'query'>,
  reservations: readonly ReservationSid[],
): Promise<Map<ReservationSid, Reason>> {
  const rows = await db.query<Row>(
    `SELECT ${columns} FROM segment_reasons WHERE reservation_sid = ANY($1::text[])`,
    [reservations],
  );
  return new Map(rows.map((row) => [row.sid, reasonOf(row)]));
}

/** When contacts with reasons opened, from a moment on. */
export async function explainedSince(db: Pick<Db, 'query'>, since: Date): Promise<Date[]> {
  const rows = await db.query<{ at: Date }>(
    'SELECT DISTINCT opened_at AS at FROM segment_reasons WHERE opened_at >= $1',
    [since],
  );
  return rows.map(({ at }) => at);
}

/** Replaces the reason that the segment has. */
export async function keepReason(
  db: Pick<Db, 'query'>,
  { reservationSid, taskSid, openedAt }: ExplainedSegment,
  { reason, comment, explainedBy }: Omit<Reason, 'explainedAt'>,
): Promise<Reason> {
  const [row] = await db.query<Row>(
    `INSERT INTO segment_reasons (reservation_sid, task_sid, opened_at, reason, comment, explained_by)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (reservation_sid) DO UPDATE SET task_sid = excluded.task_sid, opened_at = excluded.opened_at,
       reason = excluded.reason, comment = excluded.comment, explained_by = excluded.explained_by, explained_at = now()
     RETURNING ${columns}`,
    [reservationSid, taskSid ?? null, new Date(openedAt), reason, comment ?? null, explainedBy],
  );
  if (!row) throw new Error('the database returned no row');
  return reasonOf(row);
}

/** @returns whether there was one */
export async function removeReason(db: Pick<Db, 'query'>, sid: ReservationSid): Promise<boolean> {
  const removed = await db.query(
    'DELETE FROM segment_reasons WHERE reservation_sid = $1 RETURNING reservation_sid',
    [sid],
  );
  return removed.length > 0;
}
