import { randomUUID } from 'node:crypto';
import type { AccountSid, AlarmWebhook } from '@flex-custody/core';
import { createWebhookSender, type WebhookSender } from '../../alarms/webhook-sender.ts';
import { advice, type Seen } from './finding.ts';
import type { Scene } from './scene.ts';

const limitMs = 7_000;

/** The receiver of alarms: its name resolves, its address may be used, it answers; with `--test-webhook` it accepts a test. */
export async function alarmWebhook(
  { config, options }: Pick<Scene, 'config' | 'options'>,
  create: (settings: NonNullable<typeof config.alarmWebhook>) => WebhookSender = (settings) =>
    createWebhookSender(settings, { limitMs }),
): Promise<Seen> {
  const { accountSid, alarmWebhook: settings } = config;
  if (!settings) return 'none is set (CUSTODY_ALARM_WEBHOOK)';
  // Only the host: the path may hold a token of the receiver's.
  const { host } = new URL(settings.url);
  const sender = create(settings);
  try {
    if (!options.testWebhook)
      return `${host} answers (HEAD: ${await sender.reach()}); --test-webhook sends it a signed test`;
    await sender.send(testOf(accountSid));
    return `${host} accepted a signed test`;
  } catch (error) {
    throw advice(
      `${host}: ${(error as Error).message}`,
      'check CUSTODY_ALARM_WEBHOOK, its secret and certificate, and the network and proxy on the way; docs/alarms.md',
    );
  }
}

const testOf = (account: AccountSid): AlarmWebhook => ({
  id: `${randomUUID()}-test`,
  event: 'test',
  code: 'test',
  severity: 'warning',
  meaning: 'A test of the webhook: no alarm was raised.',
  next: 'Nothing.',
  at: new Date().toISOString(),
  account,
});
