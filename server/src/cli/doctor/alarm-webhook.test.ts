import { type AccountSid, CustodyError, parseAlarmWebhook } from '@flex-custody/core';
import type { WebhookSender } from '../../alarms/webhook-sender.ts';
import type { Config } from '../../config.ts';
import { alarmWebhook } from './alarm-webhook.ts';
import { diagnosis } from './finding.ts';

const account = `AC${'1'.repeat(32)}` as AccountSid;
const settings = {
  url: 'https://hooks.example.com:8443/T00/token',
  secrets: ['s'.repeat(32)],
  allowPrivate: false,
};

/** What the check finds, and what it sent. */
async function look(answer: () => Promise<number>, testWebhook = false, set = true) {
  const sent: Parameters<WebhookSender['send']>[0][] = [];
  const config = { accountSid: account, ...(set && { alarmWebhook: settings }) } as unknown as Config;
  const seen = await alarmWebhook({ config, options: { testWebhook } }, () => ({
    reach: answer,
    async send(webhook) {
      sent.push(webhook);
      await answer();
    },
  })).catch(diagnosis);
  return { seen, sent };
}

test('without a receiver there is nothing to look at', async () => {
  expect(await look(async () => 204, true, false)).toEqual({
    seen: 'none is set (CUSTODY_ALARM_WEBHOOK)',
    sent: [],
  });
});

test('a receiver that answers is good, and is sent nothing unless asked', async () => {
  expect(await look(async () => 405)).toEqual({
    seen: 'hooks.example.com:8443 answers (HEAD: 405); --test-webhook sends it a signed test',
    sent: [],
  });
});

test('a test is a webhook that names no alarm', async () => {
  const { seen, sent } = await look(async () => 204, true);
  expect(seen).toBe('hooks.example.com:8443 accepted a signed test');
  expect(sent.map((one) => parseAlarmWebhook(JSON.parse(JSON.stringify(one))))).toMatchObject([
    { event: 'test', code: 'test', account },
  ]);
});

test.each([false, true])(
  'what is refused must be fixed, and the token is not shown (a test: %s)',
  async (isTest) => {
    const refused = new CustodyError('webhook_refused', 'its address is not on the public Internet');
    const { seen } = await look(() => Promise.reject(refused), isTest);
    expect(seen).toEqual({
      detail: 'hooks.example.com:8443: its address is not on the public Internet',
      next: expect.stringContaining('CUSTODY_ALARM_WEBHOOK'),
    });
    expect(JSON.stringify(seen)).not.toContain('token');
  },
);
