import { webhookAlarms } from '../../alarms/alarm-table.ts';
import { alarmJobs } from '../../alarms/jobs.ts';
import { createProvenNews } from '../../alarms/proven-news.ts';
import { createWebhookEvents } from '../../alarms/webhook-events.ts';
import { deliverWebhook, handOver } from '../../alarms/webhook-jobs.ts';
import { createWebhookSender } from '../../alarms/webhook-sender.ts';
import { jobRunner } from '../../dead-jobs.ts';
import type { Room } from '../../room.ts';
import type { Shared } from './shared.ts';

const atOnce = 4;

/**
 * Sends alarms, and good news as the settings say, to the receiver that CUSTODY_ALARM_WEBHOOK names; without one it removes what waits for a receiver.
 * @param everySeconds between two looks for alarms that are to be sent
 */
export function alarmsRoom(
  { alarms, config, db, queue }: Pick<Shared, 'alarms' | 'config' | 'db' | 'queue'>,
  everySeconds = 10,
): Room {
  const { accountSid, alarmWebhook } = config;
  const events = createWebhookEvents(db, accountSid);
  const news = createProvenNews(db, accountSid);
  if (!alarmWebhook)
    return {
      async begin() {
        await news.switchOff();
        if (!(await events.switchOff())) return;
        await queue.purge(alarmJobs.webhook);
        await alarms.resolve(webhookAlarms);
      },
    };
  const deps = { accountSid, alarms, events, news, sender: createWebhookSender(alarmWebhook) };
  const running = jobRunner(alarms);
  return {
    async begin() {
      await events.switchOn();
      await (alarmWebhook.news.includes('recording.proven') ? news.switchOn() : news.switchOff());
    },
    jobs: [
      running(alarmJobs.webhook, {
        concurrency: atOnce,
        run: (event, { signal }) => deliverWebhook(deps, event, signal),
      }),
      running(alarmJobs.webhooks, {
        everySeconds,
        run: () =>
          handOver(deps, (found) =>
            queue.sendAll(
              alarmJobs.webhook,
              found.map((data) => ({ data })),
            ),
          ),
      }),
    ],
  };
}
