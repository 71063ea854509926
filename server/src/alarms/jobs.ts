import { defineJob, defineScheduledJob } from '../queue/job.ts';
import type { ProvenNews } from './proven-news.ts';
import type { WebhookEvent } from './webhook-events.ts';

/** The jobs of this room; `start/rooms/alarms.ts` says how a worker runs each. */
export const alarmJobs = {
  /** Sends one event of an alarm, or that a recording became proven, to CUSTODY_ALARM_WEBHOOK. */
  webhook: defineJob({ name: 'webhook', limitSeconds: 60, key: ({ id }: WebhookEvent | ProvenNews) => id }),
  /** Gives each event that is to be sent its job. */
  webhooks: defineScheduledJob({ name: 'webhooks', limitSeconds: 60 }),
};
