import { webhookAlarms } from '../alarms/alarm-table.ts';
import { createWebhookEvents } from '../alarms/webhook-events.ts';
import { deliverWebhook, handOver } from '../alarms/webhook-jobs.ts';
import { createWebhookSender } from '../alarms/webhook-sender.ts';
import type { Db } from '../db/db.ts';
import type { HostDeps } from './host-deps.ts';

const atOnce = 4;

/**
 * Begins the jobs that send alarms, where CUSTODY_ALARM_WEBHOOK names a receiver; else removes what waits for one.
 * @param everySeconds between two looks for alarms that are to be sent
 */
export async function startWebhooks(
  db: Db,
  { alarms, config, queue }: Pick<HostDeps, 'alarms' | 'config' | 'queue'>,
  everySeconds = 10,
): Promise<void> {
  const { accountSid, alarmWebhook } = config;
  const events = createWebhookEvents(db, accountSid);
  if (!alarmWebhook) {
    if (!(await events.switchOff())) return;
    await queue.purge('webhook');
    return alarms.resolve(webhookAlarms);
  }
  await events.switchOn();
  const deps = { accountSid, alarms, events, sender: createWebhookSender(alarmWebhook) };
  await queue.work('webhook', { concurrency: atOnce }, (event, { signal }) =>
    deliverWebhook(deps, event, signal),
  );
  await queue.work('webhooks', { concurrency: 1 }, () =>
    handOver(deps, (found) =>
      queue.sendAll(
        'webhook',
        found.map((event) => ({ data: event, once: event.id })),
      ),
    ),
  );
  await queue.every('webhooks', everySeconds);
}
