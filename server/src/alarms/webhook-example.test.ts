import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AlarmWebhook } from '@flex-custody/core';
import { signBody } from '@flex-custody/vault';
import { freePorts } from '../../../sandbox/src/stack/ports.ts';
import { until } from '../../../test/support/until.ts';
import { createWebhookSender } from './webhook-sender.ts';

const [secret, older] = ['n'.repeat(32), 'o'.repeat(32)];
const [, example = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync('docs/alarms.md', 'utf8')) ?? [];
const webhook = {
  ...{
    id: 'one-raised',
    event: 'raised',
    code: 'copy_failed',
    severity: 'critical',
    meaning: 'm',
    next: 'Fix it.',
  },
  ...{ at: '2026-11-30T12:00:00.000Z', account: `AC${'1'.repeat(32)}` },
} as AlarmWebhook;

let folder: string;
let receiver: ChildProcess;
let url: string;
let printed = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'receiver-'));
  const file = join(folder, 'receiver.mjs');
  writeFileSync(file, example);
  const [port = 0] = await freePorts(1);
  url = `http://127.0.0.1:${port}/`;
  const env = { PATH: process.env['PATH'], PORT: `${port}`, SECRET: secret };
  receiver = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  receiver.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  await until(() =>
    fetch(url, { method: 'HEAD' }).then(
      () => true,
      () => false,
    ),
  );
});
afterAll(() => {
  receiver.kill();
  rmSync(folder, { recursive: true });
});

const post = async (signature: string | undefined, body = JSON.stringify(webhook)) => {
  const headers = signature === undefined ? {} : { 'x-flex-custody-signature': signature };
  return (await fetch(url, { method: 'POST', headers, body })).status;
};
const send = (secrets: string[]) => createWebhookSender({ url, secrets, allowPrivate: true }).send(webhook);

test('the receiver of docs/alarms.md has at most 20 lines', () => {
  expect(example.split('\n').length).toBeLessThanOrEqual(21);
  expect(example).toContain('createServer');
});

test('it accepts what the host signs, also by the older of two secrets, and shows each id once', async () => {
  await send([secret]);
  await send([older, secret]);
  await until(() => printed !== '');
  expect(printed).toBe('raised critical copy_failed Fix it.\n');
});

test('it refuses what nobody signed, what was changed, and what is old', async () => {
  const body = JSON.stringify(webhook);
  const now = Date.now();
  expect(await post(signBody([secret], body, now))).toBe(204);
  expect(await post(signBody([older], body, now))).toBe(401);
  expect(await post(signBody([secret], body, now), `${body} `)).toBe(401);
  expect(await post(signBody([secret], body, now - 301_000))).toBe(401);
  for (const signature of [undefined, 't=1', `t=${now},v1=é`, 'x']) expect(await post(signature)).toBe(401);
  await expect(send([older])).rejects.toMatchObject({ code: 'webhook_refused' });
  expect(printed.split('\n')).toHaveLength(2);
});
