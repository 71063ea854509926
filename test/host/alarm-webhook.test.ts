import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AlarmWebhook, parseAlarmWebhook } from '@flex-custody/core';
import { until } from '../support/until.ts';
import { type RealHost, startRealHost } from './real-host.ts';

jest.setTimeout(240_000);

let receiver: Server;
let host: RealHost;
const received: AlarmWebhook[] = [];

beforeAll(async () => {
  receiver = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += piece;
    if (request.method === 'POST') received.push(parseAlarmWebhook(JSON.parse(body)));
    response.writeHead(request.headers['x-flex-custody-signature'] ? 204 : 401).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  host = await startRealHost({
    CUSTODY_ALARM_WEBHOOK: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
    CUSTODY_ALARM_WEBHOOK_SECRET: 's'.repeat(32),
    CUSTODY_ALARM_WEBHOOK_PRIVATE: 'true',
  });
});
afterAll(async () => {
  await host.stop();
  receiver.close();
});

test('a host sends an alarm when it is raised and when it is cleared, and doctor sends a test', async () => {
  const { recordings } = await host.place({ seconds: 5 });
  const [recording = ''] = recordings;
  const atTwilio = host.sandbox.twilio.world.recordings.get(recording);
  if (atTwilio) atTwilio.status = 'deleted';
  await host.announce(recording);
  await until(() => received.length > 0);
  const account = host.env['TWILIO_ACCOUNT_SID'];
  expect(received).toMatchObject([
    { event: 'raised', code: 'source_deleted', severity: 'critical', recording, account },
  ]);
  const { id } = (JSON.parse((await host.run('alarms', '--json')).out) as { id: number }[])[0] ?? {};
  await host.run('alarms', 'clear', `${id}`);
  await until(() => received.length > 1);
  expect(received[1]).toMatchObject({ event: 'resolved', code: 'source_deleted', recording });

  const only = ['--only', 'alarm-webhook'];
  expect((await host.run('doctor', ...only)).out).toContain('answers (HEAD: 401)');
  expect((await host.run('doctor', ...only, '--test-webhook')).out).toContain('accepted a signed test');
  expect(received.slice(2)).toMatchObject([{ event: 'test', account }]);
});
