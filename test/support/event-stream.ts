import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Db } from '../../server/src/db/db.ts';
import { openDatabase } from '../../server/src/db/open.ts';
import type { AgentEvent } from '../../server/src/events/agent-event.ts';
import { isHandled } from '../../server/src/events/event-types.ts';
import { inForm, received } from '../../server/src/recorder/sessions/testing/cloud-event.ts';
import { stories } from '../../server/src/recorder/sessions/testing/stories.ts';
import { Story } from '../../server/src/recorder/sessions/testing/story.ts';
import { makeSigningKey } from '../../server/src/signing/load.ts';
import { streamIdentity as identity, openKinesisStream, streamName, streamRegion } from './kinesis-stream.ts';
import { until } from './until.ts';

export { streamName, streamRegion };

export interface SentEvent {
  event: AgentEvent;
  /** As a Kinesis record has it. */
  record: string;
}

/** Contacts that are open at once. */
const concurrent = 200;

/** At least `count` events of contacts of every shape, `concurrent` of which take turns. */
export function storyEvents(count: number): SentEvent[] {
  // No hold and no call is long.
  Story.start = new Date(Date.now() - 600_000).toISOString();
  const tellers = Object.values(stories);
  const all: SentEvent[] = [];
  // A story fills its SIDs up with the digit a, with which a smaller seed could begin.
  for (let seed = 0x10000; all.length < count; ) {
    const group = Array.from({ length: concurrent }, () => {
      const story = tellers[seed % tellers.length]?.(seed).story;
      seed += 1;
      return (story?.sent ?? []).filter(({ type }) => isHandled(type));
    });
    for (let turn = 0; group.some((sent) => turn < sent.length); turn += 1)
      for (const { [turn]: sent } of group)
        if (sent) all.push({ event: received(sent), record: JSON.stringify(inForm(sent, 'kinesis')) });
  }
  return all;
}

/** A stream of two shards in kinesalite, a database of its own on a PostgreSQL, and processes of the role recorder between them. */
export async function openEventStream({ databaseUrl, folder }: { databaseUrl: string; folder: string }) {
  mkdirSync(folder, { recursive: true });
  const name = `events_${randomBytes(6).toString('hex')}`;
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  const admin = await openDatabase({ url: databaseUrl });
  await admin.query(`CREATE DATABASE ${name}`);
  const db = await openDatabase({ url: url.href });
  const stream = await openKinesisStream(folder);
  const env = hostEnvironment(folder, url.href, stream.endpoint);
  return {
    ...stream,
    db,
    startRecorder: (flags: readonly string[] = []) => startRecorder(env, folder, flags),
    async close(): Promise<void> {
      await stream.close();
      await db.close();
      await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await admin.close();
    },
  };
}

export type EventStream = Awaited<ReturnType<typeof openEventStream>>;

/** What has come out of the stream so far. */
export async function progressOf(db: Pick<Db, 'query'>): Promise<{ stored: number; followed: boolean }> {
  // Before the first process has migrated the database, the tables are missing.
  const [row] = await db
    .query<{ stored: number; followed: boolean }>(
      `SELECT (SELECT coalesce(sum(stored), 0)::int FROM event_counters) AS stored,
         coalesce((SELECT max(seq) FROM agent_events) = (SELECT position::bigint FROM session_place), false) AS followed`,
    )
    .catch(() => []);
  return row ?? { stored: 0, followed: false };
}

export interface RecorderProcess {
  pid: number;
  /** What it has logged. */
  log(): string;
  /** SIGKILL: it cannot finish anything. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

let started = 0;

async function startRecorder(
  env: Readonly<Record<string, string>>,
  folder: string,
  flags: readonly string[],
): Promise<RecorderProcess> {
  started += 1;
  const logFile = join(folder, `recorder-${started}.log`);
  const output = openSync(logFile, 'w');
  const child: ChildProcess = spawn(process.execPath, [...flags, 'dist/server/main.js'], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const log = () => readFileSync(logFile, 'utf8');
  await until(() => {
    if (child.exitCode !== null) throw new Error(`the recorder ended before it was ready: ${log()}`);
    return log().includes('"host.ready"');
  });
  const end = (signal: NodeJS.Signals) => async () => {
    child.kill(signal);
    await ended;
  };
  return { pid: child.pid ?? 0, log, kill: end('SIGKILL'), stop: end('SIGTERM') };
}

/** Of a host that only follows the stream: it asks neither Twilio nor the bucket. */
function hostEnvironment(folder: string, databaseUrl: string, endpoint: string): Record<string, string> {
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signingKey = join(folder, 'signing-key.pem');
  makeSigningKey(signingKey);
  const worker = Story.common('WK', 'another');
  return {
    NODE_ENV: 'production',
    TWILIO_ACCOUNT_SID: Story.common('AC', 'account'),
    TWILIO_AUTH_TOKEN: '0'.repeat(32),
    TWILIO_WORKSPACE_SID: Story.common('WS', 'flex'),
    DATABASE_URL: databaseUrl,
    CUSTODY_ROLES: 'recorder',
    CUSTODY_PUBLIC_URL: 'https://custody.example',
    CUSTODY_OPS_HOST: '127.0.0.1',
    CUSTODY_OPS_PORT: '0',
    AWS_ENDPOINT_URL_KINESIS: endpoint,
    AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9',
    AWS_ACCESS_KEY_ID: identity.accessKeyId,
    AWS_SECRET_ACCESS_KEY: identity.secretAccessKey,
    AWS_REGION: streamRegion,
    CUSTODY_BUCKET: 'recordings',
    CUSTODY_KEY_KIND: 'rsa',
    CUSTODY_KEY_FILE: file(
      'key.pem',
      `# key id: test\n${privateKey.export({ type: 'pkcs8', format: 'pem' })}`,
    ),
    CUSTODY_SIGNING_KEY_FILE: signingKey,
    CUSTODY_FUNCTION_SECRETS: randomBytes(32).toString('hex'),
    CUSTODY_MEDIA_SECRET: randomBytes(32).toString('base64'),
    CUSTODY_STREAM_START: 'trim_horizon',
    CUSTODY_DATA_SOURCE_FILE: file(
      'data-source.yaml',
      `streamName: ${streamName}\nregion: ${streamRegion}\n`,
    ),
    CUSTODY_EMPLOYEES_FILE: file(
      'employees.yaml',
      `employees:\n  - {id: ada, organization: Sales, worker: ${worker}, start: 2026-01-01}\n`,
    ),
  };
}
