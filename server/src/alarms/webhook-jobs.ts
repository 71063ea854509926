import { type AccountSid, type AlarmWebhook, CustodyError } from '@flex-custody/core';
import { redact } from '../log.ts';
import { meaningOf } from './alarm-table.ts';
import type { Alarms } from './alarms.ts';
import { type AlarmFacts, mostPending, type WebhookEvent, type WebhookEvents } from './webhook-events.ts';
import type { WebhookSender } from './webhook-sender.ts';

export interface WebhookDeps {
  accountSid: AccountSid;
  alarms: Pick<Alarms, 'raise' | 'resolve'>;
  events: Pick<WebhookEvents, 'alarmOf' | 'handedOver' | 'pending'>;
  sender: Pick<WebhookSender, 'send'>;
}

/**
 * Gives each event that has no job its job. If the process ends between the two statements, the event is sent twice, with one id.
 * @param send stores a job for each
 */
export async function handOver(
  { alarms, events }: Pick<WebhookDeps, 'alarms' | 'events'>,
  send: (events: readonly WebhookEvent[]) => Promise<void>,
): Promise<void> {
  for (let found = mostPending; found === mostPending; ) {
    const pending = await events.pending();
    await send(pending);
    await events.handedOver(pending);
    found = pending.length;
  }
  await alarms.resolve(['webhooks_failed']);
}

/**
 * Sends one webhook. If the receiver refuses it, the host raises an alarm and does not try again.
 * @throws CustodyError `webhook_unavailable` (retryable)
 */
export async function deliverWebhook(
  { accountSid, alarms, events, sender }: WebhookDeps,
  event: WebhookEvent,
  signal: AbortSignal,
): Promise<void> {
  const alarm = await events.alarmOf(event);
  if (!alarm) return;
  try {
    await sender.send(webhookOf(accountSid, event, alarm), signal);
  } catch (error) {
    if (!(error instanceof CustodyError) || error.code !== 'webhook_refused') throw error;
    return alarms.raise('webhook_refused', undefined, error.message);
  }
  await alarms.resolve(['webhook_refused', 'webhook_failed']);
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
