import type { RecordingSid } from '@flex-custody/core';
import { coalesce } from '../db/coalesce.ts';
import type { Db } from '../db/db.ts';
import { type Behind, behindOf, mostCounted, pageUnknown } from '../db/pages.ts';
import { type AlarmCode, webhookAlarms } from './alarm-table.ts';

/** What an alarm can be about: a recording, a shard of the events' stream, or a session or one hold in it. */
export type AlarmSubject = RecordingSid | `shardId-${string}` | `session-${string}`;

export interface Alarm {
  id: number;
  /** An {@link AlarmCode}, or one that a host of another release has raised. */
  code: string;
  recordingSid?: RecordingSid;
  /** Shard of the events' stream. */
  shard?: string;
  /** SID of the session's task, call or conference; of a hold its reservation, a slash, and its beginning in epoch ms. */
  session?: string;
  detail: string;
  /** How often it was raised. */
  times: number;
  firstAt: Date;
  lastAt: Date;
  /** When its cause ended, or an operator cleared it; absent while it is open. */
  clearedAt?: Date;
}

export interface Alarms {
  /** One alarm for each code and subject; raising it again counts it, keeps the newest detail and opens it again. */
  raise(code: AlarmCode, about: AlarmSubject | undefined, detail: string): Promise<void>;
  /**
   * Newest first; `open` leaves out those that were cleared, `code` those of other codes. `limit` is 100 by default, `after` the id of a page's last one.
   * @throws CustodyError `page_unknown` (404) where the alarm of `after` was removed
   */
  list(options?: { open?: boolean; code?: AlarmCode; limit?: number; after?: number }): Promise<Alarm[]>;
  /** How many open ones are behind the alarm `after`; not all of them, where there are more than 10,000. */
  countBehind(after: number): Promise<Behind>;
  /** How many are open, by code. */
  counts(): Promise<Record<string, number>>;
  /** Clears one. False if no such alarm is open. */
  clear(id: number): Promise<boolean>;
  /** Which of these recordings have an open alarm of this code. */
  standing(code: AlarmCode, sids: readonly RecordingSid[]): Promise<ReadonlySet<RecordingSid>>;
  /** The cause of these is no more: they stand no longer, if they did. */
  resolve(codes: readonly AlarmCode[], about?: AlarmSubject): Promise<void>;
}

interface Row {
  id: number;
  code: string;
  recording_sid: string;
  detail: string;
  times: number;
  first_at: Date;
  last_at: Date;
  cleared_at: Date | null;
}

/** Ids are four-byte integers; asking the database for a larger one would be an error instead of an answer. */
const greatestId = 2 ** 31 - 1;

/** By the order of the list: an alarm that was cleared since still marks its place. */
const isBehind = (id: string) =>
  `(last_at, id) < (SELECT mark.last_at, mark.id FROM alarms mark WHERE mark.id = ${id}::int)`;

/** While this mark is there alarms are sent by webhook. */
export const webhookMark = 'alarm-webhook';

/** The receiver of webhooks does not know that it is open: it was closed, or there was no receiver when it was raised. */
const isOpening = 'alarms.cleared_at IS NOT NULL OR alarms.webhook_id IS NULL';

/** The SIDs that a detail names, each once: an erasure finds the alarm by them. */
const sidsIn = (detail: string): string[] => [...new Set(detail.match(/[A-Z]{2}[0-9a-f]{32}/g))];

/** @param subject as the column has it, whose name is older than alarms about anything but recordings */
export function subjectOf(subject: string): Pick<Alarm, 'recordingSid' | 'shard' | 'session'> {
  if (subject === '') return {};
  if (subject.startsWith('shardId-')) return { shard: subject };
  if (subject.startsWith('session-')) return { session: subject.slice('session-'.length) };
  return { recordingSid: subject as RecordingSid };
}

export function createAlarms(db: Db): Alarms {
  /** Each recording on its way asks for this several times, nearly always about alarms that were never raised. */
  const resolveAll = coalesce(async (causes: { code: string; sid: string }[][]) => {
    const all = causes.flat();
    await db.query(
      // Always in this order: two hosts that resolve the same alarms must not wait for each other.
      `WITH standing AS (
         SELECT id FROM alarms JOIN unnest($1::text[], $2::text[]) AS cause (code, recording_sid)
           USING (code, recording_sid)
         WHERE cleared_at IS NULL ORDER BY id FOR UPDATE OF alarms
       )
       UPDATE alarms SET cleared_at = now() WHERE id IN (SELECT id FROM standing)`,
      [all.map(({ code }) => code), all.map(({ sid }) => sid)],
    );
  });
  const mustExist = async (id: number): Promise<void> => {
    const isId = Number.isInteger(id) && Math.abs(id) <= greatestId;
    const rows = isId ? await db.query<object>('SELECT 1 FROM alarms WHERE id = $1', [id]) : [];
    if (rows.length === 0) throw pageUnknown();
  };
  return {
    async raise(code, about, detail) {
      await db.query(
        `INSERT INTO alarms (code, recording_sid, detail, about, webhook_id, webhook_opened_at)
         VALUES ($1, $2, $3, $4, (SELECT gen_random_uuid() FROM marks WHERE name = $5 LIMIT 1), now())
         ON CONFLICT (code, recording_sid) DO UPDATE SET
           detail = excluded.detail, about = excluded.about, times = alarms.times + 1, last_at = now(), cleared_at = NULL,
           webhook_id = CASE WHEN ${isOpening} THEN excluded.webhook_id ELSE alarms.webhook_id END,
           webhook_opened_at = CASE WHEN ${isOpening} THEN now() ELSE alarms.webhook_opened_at END`,
        [code, about ?? '', detail, sidsIn(detail), webhookAlarms.includes(code) ? '' : webhookMark],
      );
    },
    async list({ open = false, code, limit = 100, after } = {}) {
      if (after !== undefined) await mustExist(after);
      const rows = await db.query<Row>(
        `SELECT * FROM alarms WHERE ${open ? 'cleared_at IS NULL' : 'true'} ${code === undefined ? '' : 'AND code = $2'}
           ${after === undefined ? '' : `AND ${isBehind(code === undefined ? '$2' : '$3')}`}
         ORDER BY last_at DESC, id DESC LIMIT $1`,
        [limit, ...(code === undefined ? [] : [code]), ...(after === undefined ? [] : [after])],
      );
      return rows.map((row) => ({
        id: row.id,
        code: row.code,
        ...subjectOf(row.recording_sid),
        detail: row.detail,
        times: row.times,
        firstAt: row.first_at,
        lastAt: row.last_at,
        ...(row.cleared_at && { clearedAt: row.cleared_at }),
      }));
    },
    async countBehind(after) {
      await mustExist(after);
      const rows = await db.query<object>(
        `SELECT 1 FROM alarms WHERE cleared_at IS NULL AND ${isBehind('$1')} LIMIT ${mostCounted + 1}`,
        [after],
      );
      return behindOf(rows.length);
    },
    async counts() {
      const rows = await db.query<{ code: string; n: number }>(
        'SELECT code, count(*)::int AS n FROM alarms WHERE cleared_at IS NULL GROUP BY code',
      );
      return Object.fromEntries(rows.map((row) => [row.code, row.n]));
    },
    async clear(id) {
      if (!Number.isInteger(id) || Math.abs(id) > greatestId) return false;
      const rows = await db.query(
        'UPDATE alarms SET cleared_at = now() WHERE id = $1 AND cleared_at IS NULL RETURNING id',
        [id],
      );
      return rows.length > 0;
    },
    async standing(code, sids) {
      const rows = await db.query<{ sid: RecordingSid }>(
        `SELECT recording_sid AS sid FROM alarms
         WHERE code = $1 AND recording_sid = ANY($2::text[]) AND cleared_at IS NULL`,
        [code, sids],
      );
      return new Set(rows.map(({ sid }) => sid));
    },
    resolve: (codes, about) => resolveAll(codes.map((code) => ({ code, sid: about ?? '' }))),
  };
}
