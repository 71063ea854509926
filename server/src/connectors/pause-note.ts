import type { Db } from '../db/db.ts';

/** Why nothing of an account is sent. */
export interface Pause {
  reason: string;
  status: number;
  code?: string;
  /** Epoch ms. */
  since: number;
  /** Probes that found it paused still. */
  probes: number;
}

const firstProbeMs = 30_000;
const longestProbeMs = 15 * 60_000;

/** Kept in `connector_notes`, whose time is that of the next probe. */
export function pauseNotes(db: Pick<Db, 'query'>, connector: string) {
  return {
    async read(): Promise<Pause | undefined> {
      const [row] = await db.query<{ note: Pause }>(
        `SELECT note FROM connector_notes WHERE connector = $1 AND name = 'paused'`,
        [connector],
      );
      return row?.note;
    },
    /**
     * A probe that finds it paused still may change the reason.
     * @returns whether this pause is a new one
     */
    async pause(found: Pick<Pause, 'reason' | 'status' | 'code'>): Promise<boolean> {
      const { reason, status, code } = found;
      const [row] = await db.query<{ isNew: boolean }>(
        `INSERT INTO connector_notes (connector, name, note, at)
         VALUES ($1, 'paused', $2::jsonb || jsonb_build_object('since', floor(extract(epoch FROM now()) * 1000)), now() + $3 * interval '1 millisecond')
         ON CONFLICT (connector, name) DO UPDATE SET note = connector_notes.note || $2::jsonb - 'since' - 'probes' ||
           jsonb_build_object('since', connector_notes.note->'since', 'probes', connector_notes.note->'probes')
         RETURNING (xmax = 0) AS "isNew"`,
        [connector, JSON.stringify({ reason, status, ...(code && { code }), probes: 0 }), firstProbeMs],
      );
      return row?.isNew ?? false;
    },
    /** Takes the turn to probe, where one is due: no other process probes before the next one is. */
    async takeProbe(): Promise<Pause | undefined> {
      const [row] = await db.query<{ note: Pause }>(
        `UPDATE connector_notes SET note = note || jsonb_build_object('probes', (note->>'probes')::int + 1),
           at = now() + least(${longestProbeMs}, ${firstProbeMs} * 2 ^ least((note->>'probes')::int + 1, 20)) * interval '1 millisecond'
         WHERE connector = $1 AND name = 'paused' AND at <= now() RETURNING note`,
        [connector],
      );
      return row?.note;
    },
    async resume(): Promise<void> {
      await db.query(`DELETE FROM connector_notes WHERE connector = $1 AND name = 'paused'`, [connector]);
    },
  };
}

export type PauseNotes = ReturnType<typeof pauseNotes>;
