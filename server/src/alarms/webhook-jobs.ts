import { type AccountSid, type AlarmWebhook, CustodyError } from '@flex-custody/core';
import { redact } from '../log.ts';
import { meaningOf } from './alarm-table.ts';
import type { Alarms } from './alarms.ts';
import { type ProvenNews, type ProvenNewsTable, provenWebhookOf } from './proven-news.ts';
import { type AlarmFacts, mostPending, type WebhookEvent, type WebhookEvents } from './webhook-events.ts';
import type { WebhookSender } from './webhook-sender.ts';

export interface WebhookDeps {
  accountSid: AccountSid;
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  events: Pick<WebhookEvents, 'alarmOf' | 'handedOver' | 'pending'>;
  news: Pick<ProvenNewsTable, 'handedOver' | 'pending'>;
  sender: Pick<WebhookSender, 'send'>;
}

/** What waits to be given to jobs. */
interface Outbox<E> {
  pending(): Promise<E[]>;
  handedOver(events: readonly E[]): Promise<void>;
}

/**
 * Gives each event that has no job its job. If the process ends between the two statements, the event is sent twice, with one id.
 * @param send stores a job for each
 */
export async function handOver(
  { alarms, events, news }: Pick<WebhookDeps, 'alarms' | 'events' | 'news'>,
  send: (events: readonly (WebhookEvent | ProvenNews)[]) => Promise<void>,
): Promise<void> {
  await empty(events, send);
  await empty(news, send);
  await alarms.resolve(['webhooks_failed']);
}

async function empty<E>(outbox: Outbox<E>, send: (events: readonly E[]) => Promise<void>): Promise<void> {
  for (let found = mostPending; found === mostPending; ) {
    const pending = await outbox.pending();
    await send(pending);
    await outbox.handedOver(pending);
    found = pending.length;
  }
}

/**
 * Sends one webhook. If the receiver refuses it, the host raises an alarm and does not try again.
 * @throws CustodyError `webhook_unavailable` (retryable)
 */
export async function deliverWebhook(
  { accountSid, alarms, events, sender }: Omit<WebhookDeps, 'news'>,
  event: WebhookEvent | ProvenNews,
  signal: AbortSignal,
): Promise<void> {
  const webhook =
    'proof' in event ? provenWebhookOf(accountSid, event) : await ofAlarm(accountSid, events, event);
  if (!webhook) return;
  try {
    await sender.send(webhook, signal);
  } catch (error) {
    if (!(error instanceof CustodyError) || error.code !== 'webhook_refused') throw error;
    return alarms.raise('webhook_refused', undefined, error.message);
  }
  await alarms.resolve(['webhook_refused', 'webhook_failed']);
}

/** Undefined where the alarm was removed. */
async function ofAlarm(
  account: AccountSid,
  events: WebhookDeps['events'],
  event: WebhookEvent,
): Promise<AlarmWebhook | undefined> {
  const alarm = await events.alarmOf(event);
  return alarm && webhookOf(account, event, alarm);
}

const unknown = {
  severity: 'warning',
  meaning: 'A host of another release raised this alarm.',
  next: 'Run `flex-custody alarms`.',
} as const;

function webhookOf(
  account: AccountSid,
  { id, event, at }: WebhookEvent,
  { code, detail, recordingSid, shard, session }: AlarmFacts,
): AlarmWebhook {
  const { severity, meaning, next } = meaningOf(code) ?? unknown;
  return {
    ...{ id, event, code, severity, meaning, next },
    ...(recordingSid && { recording: recordingSid }),
    ...(shard !== undefined && { shard }),
    ...(session !== undefined && { session }),
    ...(detail !== '' && { detail: redact(detail) }),
    ...{ at, account },
  };
}
