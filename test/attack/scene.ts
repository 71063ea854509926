import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeys, createStore, type Keys, type Store, sealBytes, signRequest } from '@flex-custody/vault';
import type { PlacedCall } from '../../sandbox/src/calls.ts';
import { type Stack, startStack } from '../../sandbox/src/stack/index.ts';
import type { RecordingRow } from '../../server/src/catalog/recording-row.ts';
// Also lets the embedded database load inside tests.
import '../../server/src/db/testing/on-each-engine.ts';
import type { Db } from '../../server/src/db/db.ts';
import { openDatabase } from '../../server/src/db/open.ts';
import { ingestJobs } from '../../server/src/ingest/jobs.ts';
import { openQueue } from '../../server/src/queue/boss-queue.ts';
import { allJobs } from '../../server/src/start/jobs.ts';
import { until } from '../support/until.ts';

/** What somebody wants who should not get it, and the test that he does not. */
export interface Attack {
  wants: string;
  run(scene: Scene): Promise<void>;
}

/** Everything that the Functions hold, read from their own environment as somebody who runs code there would. */
export interface Stolen {
  hostSecret: string;
  publicKeys: Keys;
  store: Store;
}

/** The whole stack as processes, and what operators, agents and attackers do with it. */
export interface Scene {
  stack: Stack;
  dataDir: string;
  stolen: Stolen;
  /** `flex-custody …` in the host's environment, with more of it where given. */
  command(
    words: readonly string[],
    more?: Readonly<Record<string, string>>,
  ): Promise<{ code: number; out: string; err: string }>;
  call(options?: Record<string, unknown>): Promise<PlacedCall>;
  row(recording: string): Promise<RecordingRow | null>;
  reaches(recording: string, wanted: (row: RecordingRow) => boolean): Promise<RecordingRow>;
  /** A request that the Functions' secret signs. */
  signed(path: string, body: unknown): Promise<{ status: number; answer: Record<string, unknown> }>;
  token(asked: Record<string, unknown>): Promise<string>;
  /** Status of url_provider, and what was heard. */
  hear(recording: string, token: string): Promise<{ status: number; audio: Buffer }>;
  supervisor(): Promise<string>;
  /** The host's own database, while the host is down; afterwards the host starts again. */
  meanwhile(work: (db: Db) => Promise<void>, more?: Readonly<Record<string, string>>): Promise<void>;
  /** Does it at an earlier time of the bucket's and Twilio's clocks, less than a quarter of an hour before. */
  ago<T>(seconds: number, work: () => Promise<T>): Promise<T>;
  /** With the host's rights on the bucket. */
  asHost<T>(work: (store: Store) => Promise<T>): Promise<T>;
  /** Where Twilio believes the Functions to be. */
  functionsBaseUrl: string;
  /** Has the host delete originals whose time has come, by its own job. */
  deleteSourcesNow(recordings: readonly string[]): Promise<void>;
  /** As operators read them. */
  alarms(): Promise<string>;
  close(): Promise<void>;
}

/** Seconds. What is younger than ten minutes may be of a writer that has yet to report it. */
export const oldEnough = 700;

const callerSecret = Buffer.alloc(32, 9).toString('base64');

export async function openScene(): Promise<Scene> {
  const dataDir = mkdtempSync(join(tmpdir(), 'attack-'));
  const stack = await startStack({
    dataDir,
    brevo: true,
    serverEnv: {
      CUSTODY_CALLER_SECRET: callerSecret,
      DELETE_SOURCE_AFTER: '2h',
      // Each attack begins its own look.
      CUSTODY_RECONCILE_MINUTES: '0',
      CUSTODY_RETRY_SECONDS: '1',
      PATH: process.env['PATH'] ?? '',
    },
  });
  const stolen = steal(stack, dataDir);
  const post = async <T>(path: string, body: unknown): Promise<T> => {
    const headers = { 'content-type': 'application/json' };
    const reply = await fetch(`${stack.urls.sandbox}/sandbox/${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
    return (await reply.json()) as T;
  };
  const command: Scene['command'] = (words, more = {}) =>
    new Promise((resolve) => {
      const env = { ...stack.hostEnvironment, ...more };
      execFile(process.execPath, ['server/bin/flex-custody.mjs', ...words], { env }, (error, out, err) =>
        resolve({ code: error ? Number(error.code) : 0, out, err }),
      );
    });
  const row: Scene['row'] = async (recording) =>
    JSON.parse((await command(['recordings', 'show', recording])).out || 'null') as RecordingRow | null;
  const token: Scene['token'] = async (asked) => (await post<{ token: string }>('tokens', asked)).token;
  const meanwhile: Scene['meanwhile'] = async (work, more) => {
    await stack.stopServer();
    try {
      const db = await openDatabase({ directory: join(dataDir, 'host') });
      await work(db).finally(() => db.close());
    } finally {
      // The next attack has a host to attack, whatever became of this one.
      await stack.startServer(more);
    }
  };
  const scene: Scene = {
    stack,
    dataDir,
    stolen,
    command,
    row,
    token,
    meanwhile,
    call: (options = {}) => post<PlacedCall>('calls', { seconds: 12, callback: false, ...options }),
    async reaches(recording, wanted) {
      let found: RecordingRow | null = null;
      await until(async () => {
        found = await row(recording);
        return found !== null && wanted(found);
      });
      return found as unknown as RecordingRow;
    },
    async signed(path, content) {
      const body = JSON.stringify(content);
      const reply = await fetch(stack.urls.server + path, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-custody-signature': signRequest(stolen.hostSecret, 'POST', path, body, Date.now()),
        },
        body,
      });
      const text = await reply.text();
      return { status: reply.status, answer: text === '' ? {} : JSON.parse(text) };
    },
    supervisor: () => token({ roles: ['supervisor', 'wfo.full_access'] }),
    async hear(recording, held) {
      const answer = await fetch(`${stack.urls.server}/url-provider?recording=${recording}`, {
        headers: { authorization: `Basic ${Buffer.from(`token:${held}`).toString('base64')}` },
      });
      if (!answer.ok) return { status: answer.status, audio: Buffer.alloc(0) };
      const { media_url } = (await answer.json()) as { media_url: string };
      const media = await fetch(media_url);
      return { status: media.status, audio: Buffer.from(await media.arrayBuffer()) };
    },
    functionsBaseUrl: variable(dataDir, 'CUSTODY_FUNCTIONS_URL'),
    async ago(seconds, work) {
      const { behaviour } = stack.sandbox.twilio.world;
      behaviour.clockSeconds = -seconds;
      return work().finally(() => Object.assign(behaviour, { clockSeconds: 0 }));
    },
    async asHost(work) {
      const store = createStore({ ...stack.sandbox.s3, pathStyle: true, mode: 'envelope' });
      return work(store).finally(() => store.close());
    },
    deleteSourcesNow: (recordings) =>
      meanwhile(async (db) => {
        await db.query(
          `UPDATE recordings SET verified_at = now() - interval '3 hours' WHERE recording_sid = ANY($1::text[])`,
          [recordings],
        );
        const queue = openQueue(db, { jobs: allJobs });
        await queue.send(ingestJobs.sources, {});
        await queue.stop();
      }),
    alarms: async () => (await command(['alarms'])).out,
    async close() {
      stolen.store.close();
      await stack.close();
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
  return scene;
}

/** Of the Functions' environment, as it lies beside them. */
function variable(dataDir: string, name: string): string {
  const lines = readFileSync(join(dataDir, 'functions.env'), 'utf8').split('\n');
  return lines.find((line) => line.startsWith(`${name}='`))?.slice(name.length + 2, -1) ?? '';
}

function steal(stack: Stack, dataDir: string): Stolen {
  const of = (name: string) => variable(dataDir, name);
  return {
    hostSecret: of('CUSTODY_HOST_SECRET'),
    publicKeys: createKeys({
      kind: 'rsa-public',
      keyId: of('CUSTODY_KEY_ID'),
      spki: of('CUSTODY_PUBLIC_KEY'),
    }),
    store: createStore({
      bucket: of('AWSbucket'),
      region: of('AWS_REGION'),
      endpoint: stack.sandbox.s3.endpoint,
      pathStyle: true,
      accessKeyId: of('AWSaccessKeyId'),
      secretAccessKey: of('AWSsecretAccessKey'),
      mode: 'envelope',
    }),
  };
}

/** Sealed as a recording of the account by the public key alone, and put where the recording's copy belongs. */
export async function putForged({ stack, stolen }: Scene, recording: string, plain: Buffer) {
  const { accountSid } = stack.sandbox.account;
  const key = `recordings/${accountSid}/${recording}`;
  const bytes = await sealBytes(stolen.publicKeys, { account: accountSid, recording }, plain);
  const { etag, versionId } = await stolen.store.putBytes(key, bytes);
  return {
    key,
    mode: 'envelope' as const,
    ...(versionId !== undefined && { versionId }),
    etag,
    bytes: bytes.byteLength,
    plaintextBytes: plain.byteLength,
    plaintextSha256: createHash('sha256').update(plain).digest('hex'),
    keyId: stolen.publicKeys.keyId,
  };
}

/** A WAV of 8 kHz and 16 bits that holds nothing but noise. */
export function forgedWav(seconds: number, channels: 1 | 2, byteRate = 16_000 * channels): Buffer {
  const data = 16_000 * channels * seconds;
  const wav = Buffer.alloc(44 + data, 0x5a);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + data, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(channels, 22);
  wav.writeUInt32LE(8_000, 24);
  wav.writeUInt32LE(byteRate, 28);
  wav.writeUInt16LE(2 * channels, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(data, 40);
  return wav;
}
