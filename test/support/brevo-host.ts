import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from '../../sandbox/src/index.ts';
import { serverEnvironment } from '../../sandbox/src/stack/environments.ts';
import { makeSecrets } from '../../sandbox/src/stack/secrets.ts';
import { openDatabase } from '../../server/src/db/open.ts';
import { type CloudEvent, inForm } from '../../server/src/recorder/sessions/testing/cloud-event.ts';
import { stories } from '../../server/src/recorder/sessions/testing/stories.ts';
import { Story } from '../../server/src/recorder/sessions/testing/story.ts';
import { until } from './until.ts';

const minuteMs = 60_000;
const chatMs = 26 * 60 * minuteMs;

/** Whom agents call in the stories. */
const calledNumber = '+14155550199';

/** Of the customer of this number; each third has an e-mail address too. */
export const phoneOf = (customer: number) => `+346${String(customer).padStart(8, '0')}`;
export const emailOf = (customer: number) =>
  customer % 3 === 0 ? `customer-${customer}@example.com` : undefined;

/** Events of `count` contacts of every shape and channel, of a third as many customers; a quarter of them are of the past. */
export function customersEvents(count: number): CloudEvent[] {
  const tellers = Object.entries(stories);
  return Array.from({ length: count }, (_, index) => {
    const [name, tell] = tellers[index % tellers.length] ?? [];
    const past = index % 4 === 0 ? 180 * minuteMs : 20 * minuteMs;
    Story.start = new Date(Date.now() - past - (name === 'chat' ? chatMs : 0)).toISOString();
    const customer = Math.floor(index / 3) + 1;
    return (tell?.(0x10000 + index).story.sent ?? []).map((event) => ofCustomer(event, customer, index));
  }).flat();
}

function ofCustomer(event: CloudEvent, customer: number, index: number): CloudEvent {
  const phone = phoneOf(customer);
  // The stories call one number: here each customer is called at their own, since a number identifies its contact.
  const sent = JSON.parse(
    JSON.stringify(inForm(event, 'webhook')).replaceAll(calledNumber, phone),
  ) as CloudEvent;
  const { payload } = sent.data as { payload?: Record<string, unknown> };
  if (typeof payload?.['task_attributes'] !== 'string') return sent;
  const attributes = JSON.parse(payload['task_attributes']) as Record<string, unknown>;
  const email = emailOf(customer);
  const channelType = (['web', 'sms', 'whatsapp'] as const)[index % 3] ?? 'web';
  payload['task_attributes'] = JSON.stringify({
    ...attributes,
    ...(attributes['channelType'] !== undefined && { channelType }),
    ...{
      from: channelType === 'whatsapp' ? `whatsapp:${phone}` : phone,
      outbound_to: phone,
      name: `Customer ${customer}`,
    },
    ...(attributes['channelType'] !== undefined && { customerAddress: phone }),
    ...(email && { email }),
  });
  return sent;
}

/** A database of its own, the sandbox with Brevo's double, and host processes that follow the inbox and deliver. */
export async function openBrevoHost(folder: string, databaseUrl: string, file: string) {
  const name = `brevo_${randomBytes(6).toString('hex')}`;
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  const admin = await openDatabase({ url: databaseUrl });
  await admin.query(`CREATE DATABASE ${name}`);
  const sandbox = await startSandbox({
    ...{ port: 0, dataDir: folder, functionsBaseUrl: 'https://flex-custody-4200-dev.twil.io' },
    ...{ functionsOrigin: 'http://127.0.0.1:9', publicHostUrl: 'http://127.0.0.1:9' },
  });
  const path = join(folder, 'brevo.yaml');
  writeFileSync(path, `account_sid: ${Story.common('AC', 'account')}\n${file}`, { mode: 0o600 });
  const addresses = {
    server: 'http://127.0.0.1:9',
    functions: 'https://x.twil.io',
    ports: { server: 0, ops: 0 },
  };
  const env = serverEnvironment(sandbox, makeSecrets(folder), addresses, join(folder, 'host'), {
    TWILIO_ACCOUNT_SID: Story.common('AC', 'account'),
    DATABASE_URL: url.href,
    CUSTODY_ROLES: 'recorder',
    CUSTODY_BREVO_FILE: path,
    CUSTODY_BREVO_API_KEY: sandbox.brevo.apiKey,
  });
  const db = await openDatabase({ url: url.href });
  return {
    ...{ db, sandbox, brevo: sandbox.brevo.account },
    start: () => start(env, folder),
    async close() {
      await sandbox.close();
      await db.close();
      await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await admin.close();
    },
  };
}

export type BrevoHost = Awaited<ReturnType<typeof openBrevoHost>>;
export type { Sandbox };

export interface HostProcess {
  log(): string;
  /** SIGKILL: it cannot finish anything. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

let started = 0;

async function start(env: Record<string, string>, folder: string): Promise<HostProcess> {
  started += 1;
  const logFile = join(folder, `host-${started}.log`);
  const output = openSync(logFile, 'w');
  const child: ChildProcess = spawn(process.execPath, ['dist/server/main.js'], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const log = () => readFileSync(logFile, 'utf8');
  await until(() => {
    if (child.exitCode !== null) throw new Error(`the host ended before it was ready: ${log()}`);
    return log().includes('"host.ready"');
  });
  const end = (signal: NodeJS.Signals) => async () => {
    child.kill(signal);
    await ended;
  };
  return { log, kill: end('SIGKILL'), stop: end('SIGTERM') };
}
