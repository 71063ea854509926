import type { RecordingSid } from '@flex-custody/core';
import type { Db } from '../db.ts';

export interface Alarm {
  code: string;
  recordingSid?: RecordingSid;
  detail: string;
  /** How often it was raised. */
  times: number;
  firstAt: Date;
  lastAt: Date;
}

export interface Alarms {
  /** One alarm for each code and recording; raising it again counts it and keeps the newest detail. */
  raise(code: string, recordingSid: RecordingSid | undefined, detail: string): Promise<void>;
  /** Newest first. */
  list(limit?: number): Promise<Alarm[]>;
  /** How many stand, by code. */
  counts(): Promise<Record<string, number>>;
  clear(code: string, recordingSid?: RecordingSid): Promise<boolean>;
}

interface Row {
  code: string;
  recording_sid: string;
  detail: string;
  times: number;
  first_at: Date;
  last_at: Date;
}

export function createAlarms(db: Db): Alarms {
  return {
    async raise(code, recordingSid, detail) {
      await db.query(
        `INSERT INTO alarms (code, recording_sid, detail) VALUES ($1, $2, $3)
         ON CONFLICT (code, recording_sid)
         DO UPDATE SET detail = excluded.detail, times = alarms.times + 1, last_at = now()`,
        [code, recordingSid ?? '', detail],
      );
    },
    async list(limit = 100) {
      const rows = await db.query<Row>('SELECT * FROM alarms ORDER BY last_at DESC, code LIMIT $1', [limit]);
      return rows.map((row) => ({
        code: row.code,
        ...(row.recording_sid !== '' && { recordingSid: row.recording_sid as RecordingSid }),
        detail: row.detail,
        times: row.times,
        firstAt: row.first_at,
        lastAt: row.last_at,
      }));
    },
    async counts() {
      const rows = await db.query<{ code: string; n: number }>(
        'SELECT code, count(*)::int AS n FROM alarms GROUP BY code',
      );
      return Object.fromEntries(rows.map((row) => [row.code, row.n]));
    },
    async clear(code, recordingSid) {
      const rows = await db.query(
        'DELETE FROM alarms WHERE code = $1 AND recording_sid = $2 RETURNING code',
        [code, recordingSid ?? ''],
      );
      return rows.length > 0;
    },
  };
}
