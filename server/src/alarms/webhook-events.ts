import type { AccountSid, AlarmWebhook } from '@flex-custody/core';
import type { Db } from '../db/db.ts';
import { type Alarm, subjectOf, webhookMark } from './alarms.ts';

/** One webhook that is to be sent. It names no recording: an erasure removes the alarm, and nothing is sent then. */
export type WebhookEvent = Pick<AlarmWebhook, 'id' | 'event' | 'at'> & { alarm: number };

/** What a webhook says of its alarm. */
export type AlarmFacts = Pick<Alarm, 'code' | 'detail' | 'recordingSid' | 'shard' | 'session'>;

export interface WebhookEvents {
  /** From now on each alarm that is raised has events. */
  switchOn(): Promise<void>;
  /** @returns whether it was on */
  switchOff(): Promise<boolean>;
  /** At most 500 events that have no job yet: first the opening of an alarm, and once that has a job, its end. */
  pending(): Promise<WebhookEvent[]>;
  /** These events have jobs now. */
  handedOver(events: readonly WebhookEvent[]): Promise<void>;
  /** Undefined where the alarm was removed. */
  alarmOf(event: WebhookEvent): Promise<AlarmFacts | undefined>;
}

export const mostPending = 500;

export function createWebhookEvents(db: Db, accountSid: AccountSid): WebhookEvents {
  return {
    async switchOn() {
      await db.query(
        `INSERT INTO marks (account_sid, name, mark) VALUES ($1, $2, '{}') ON CONFLICT DO NOTHING`,
        [accountSid, webhookMark],
      );
    },
    async switchOff() {
      const removed = await db.query<object>(
        'DELETE FROM marks WHERE account_sid = $1 AND name = $2 RETURNING name',
        [accountSid, webhookMark],
      );
      return removed.length > 0;
    },
    async pending() {
      const rows = await db.query<Row>(
        `SELECT id, webhook_id, webhook_opened_at, cleared_at FROM alarms
         WHERE webhook_id IS NOT NULL AND (webhook_opened_at IS NOT NULL OR cleared_at IS NOT NULL)
         ORDER BY id LIMIT ${mostPending}`,
      );
      return rows.map(({ id, webhook_id, webhook_opened_at, cleared_at }) => {
        const event = webhook_opened_at ? 'raised' : 'resolved';
        const at = (webhook_opened_at ?? cleared_at)?.toISOString() ?? '';
        return { alarm: id, id: `${webhook_id}-${event}`, event, at };
      });
    },
    async handedOver(events) {
      // Locked in the order of ids, as everywhere; an alarm that was opened again meanwhile has another id.
      await db.query(
        `WITH handed AS (
           SELECT alarms.id, over.event FROM alarms JOIN unnest($1::int[], $2::text[], $3::text[]) AS over (id, name, event)
             ON alarms.id = over.id AND alarms.webhook_id || '-' || over.event = over.name
           ORDER BY alarms.id FOR UPDATE OF alarms
         )
         UPDATE alarms SET webhook_opened_at = NULL,
           webhook_id = CASE handed.event WHEN 'raised' THEN webhook_id END
         FROM handed WHERE alarms.id = handed.id`,
        [events.map(({ alarm }) => alarm), events.map(({ id }) => id), events.map(({ event }) => event)],
      );
    },
    async alarmOf({ alarm }) {
      const [row] = await db.query<{ code: string; recording_sid: string; detail: string }>(
        'SELECT code, recording_sid, detail FROM alarms WHERE id = $1',
        [alarm],
      );
      return row && { code: row.code, detail: row.detail, ...subjectOf(row.recording_sid) };
    },
  };
}

interface Row {
  id: number;
  webhook_id: string;
  webhook_opened_at: Date | null;
  cleared_at: Date | null;
}
