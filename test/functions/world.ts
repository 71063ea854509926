import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ConsentAnswer,
  type CopyReport,
  type IngestAnswer,
  type PauseSettings,
  parseReport,
  type RecordingCallback,
  type Report,
  type SealedObject,
  type TaskSid,
} from '@flex-custody/core';
import { createKeys, openStream, parseKeyFile, verifyRequest } from '@flex-custody/vault';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import { startGuard } from '../../sandbox/src/guard/index.ts';
import { type Sandbox, startSandbox } from '../../sandbox/src/index.ts';
import { functionsEnvironment } from '../../sandbox/src/stack/environments.ts';
import { startFunctions } from '../../sandbox/src/stack/functions-child.ts';
import { freePorts } from '../../sandbox/src/stack/ports.ts';
import { makeSecrets } from '../../sandbox/src/stack/secrets.ts';

/** What the host answers to a callback: an answer, or a status it fails with. */
export type HostAnswer = (callback: RecordingCallback) => Partial<IngestAnswer> | number;

export interface Delivery {
  status?: number;
  error?: string;
  ms: number;
}

export interface FunctionsWorld {
  sandbox: Sandbox;
  /** The gateway's address. */
  url: string;
  /** Set by each test. `silent` never answers. */
  host: {
    answer: HostAnswer;
    reportStatus: number;
    pause: Partial<PauseSettings> | number | 'silent';
    consent: ConsentAnswer | number;
  };
  /** What happened on live calls, as the Functions told the host. */
  told: Report[];
  /** Whose tokens came with that. */
  tokens: string[];
  /** Conferences of which the host was asked whether the caller agreed. */
  consents: string[];
  registered: RecordingCallback[];
  reports: { recording: string; report: CopyReport }[];
  /** What the Functions logged, as events. */
  logged: string[];
  call(options?: Record<string, unknown>): Promise<{ recordings: string[]; task: string }>;
  /** Delivers the recording's callback as Twilio would, with its retries. */
  deliver(recording: string, times?: number, form?: Record<string, string>): Promise<Delivery[][]>;
  /** One attempt, signed as Twilio signs, with just these fields and this query: what it is answered. */
  attempt(form: Record<string, string>, query?: string): Promise<number>;
  control<T>(path: string, body?: unknown): Promise<T>;
  /** The object's audio, opened with the host's private key. */
  open(object: SealedObject, recording: string): Promise<Buffer>;
  stopHost(): Promise<void>;
  startHost(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The platform's 10 s, and room for what is this machine's alone: a process is started for each request, and other tests
 * may be busy beside it.
 */
const runMs = 14_000;

/** The lease that {@link copyLease} grants. */
export const lease = 'lease-of-the-test';

/**
 * The Functions under twilio-run behind the guard, the real outside world, and a host that does as the test says.
 * @param more of the Functions' environment
 * @param assetsFolder below the root
 */
export async function startFunctionsWorld(
  more: Readonly<Record<string, string>> = {},
  assetsFolder = 'assets',
): Promise<FunctionsWorld> {
  execFileSync(process.execPath, ['build.mjs', '--functions']);
  const dataDir = mkdtempSync(join(tmpdir(), 'functions-world-'));
  const secrets = makeSecrets(dataDir);
  const [upstreamPort = 0, guardPort = 0, hostPort = 0] = await freePorts(3);
  const baseUrl = 'https://flex-custody-4200-dev.twil.io';
  const sandbox = await startSandbox({
    port: 0,
    dataDir: join(dataDir, 'sandbox'),
    functionsBaseUrl: baseUrl,
    functionsOrigin: `http://127.0.0.1:${guardPort}`,
    publicHostUrl: `http://127.0.0.1:${hostPort}`,
  });
  const logged: string[] = [];
  const functions = await startFunctions({
    root: process.cwd(),
    dataDir,
    port: upstreamPort,
    environment: functionsEnvironment(
      sandbox,
      secrets,
      { server: `http://127.0.0.1:${hostPort}`, functions: baseUrl, ports: { server: hostPort, ops: 0 } },
      { CUSTODY_FORWARD_TO_FLEX: 'true', ...more },
    ),
    assetsFolder,
    runMs,
    onLine: (line) => logged.push(line),
  });
  const guard = await startGuard({
    port: guardPort,
    upstreamPort,
    baseUrl,
    authToken: sandbox.account.authToken,
    functionsFolder: 'dist/functions',
    assetsFolder,
    runMs,
  });

  const control = async <T>(path: string, body?: unknown): Promise<T> => {
    const response = await fetch(
      `${sandbox.url}/sandbox/${path}`,
      body === undefined
        ? {}
        : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    );
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const world: FunctionsWorld = {
    sandbox,
    url: guard.url,
    host: {
      answer: () => 500,
      reportStatus: 200,
      pause: 404,
      consent: { required: true, standing: true, paused: false },
    },
    told: [],
    tokens: [],
    consents: [],
    registered: [],
    reports: [],
    logged,
    control,
    call: (options = {}) => control('calls', { seconds: 30, callback: false, ...options }),
    async deliver(recording, times = 1, form = {}) {
      const all = Array.from({ length: times }, () =>
        control<{ deliveries: Delivery[][] }>('callbacks', { recording, form }),
      );
      return (await Promise.all(all)).flatMap(({ deliveries }) => deliveries);
    },
    async attempt(form, query = '') {
      const { authToken } = sandbox.account;
      const path = `/recording-status-callback${query}`;
      const signature = getExpectedTwilioSignature(authToken, `${baseUrl}${path}`, form);
      const response = await fetch(`${guard.url}${path}`, {
        method: 'POST',
        headers: { 'x-twilio-signature': signature },
        body: new URLSearchParams(form),
      });
      return response.status;
    },
    async open(object, recording) {
      const keys = createKeys(parseKeyFile(readFileSync(secrets.keyFile, 'utf8')));
      const stored = readObject(sandbox, object.key);
      const audio = openStream(keys, { account: sandbox.account.accountSid, recording });
      audio.end(await stored);
      const chunks: Buffer[] = [];
      for await (const chunk of audio) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    },
    async stopHost() {
      host.closeAllConnections();
      await new Promise((resolve) => host.close(resolve));
    },
    startHost: () => new Promise((resolve) => host.listen(hostPort, '127.0.0.1', resolve)),
    async close() {
      if (host.listening) await world.stopHost();
      await guard.close();
      await functions.stop(1_000);
      await sandbox.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  const host = createServer(async (incoming, outgoing) => {
    let text = '';
    for await (const chunk of incoming) text += chunk;
    const url = incoming.url ?? '';
    const header = incoming.headers['x-custody-signature'] as string | undefined;
    const reply = (status: number, body: unknown) =>
      outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const method = incoming.method ?? '';
    if (!verifyRequest([secrets.functionSecret], header, method, url, text, Date.now()))
      return reply(401, {});
    if (`${method} ${url}` === 'GET /settings/pause') {
      const { pause } = world.host;
      if (pause === 'silent') return undefined;
      return typeof pause === 'number' ? reply(pause, {}) : reply(200, pause);
    }
    if (`${method} ${url}` === 'POST /reports') {
      const { token, ...report } = JSON.parse(text) as { token: string };
      if (world.host.reportStatus === 200) {
        world.told.push(parseReport(report));
        world.tokens.push(token);
      }
      return reply(world.host.reportStatus, {});
    }
    const conference = /^\/consents\/(CF[0-9a-f]{32})$/.exec(url)?.[1];
    if (conference) {
      world.consents.push(conference);
      const { consent } = world.host;
      return typeof consent === 'number' ? reply(consent, {}) : reply(200, consent);
    }
    const recording = /^\/ingest\/recordings\/(RE[0-9a-f]{32})\/report$/.exec(url)?.[1];
    if (recording) {
      world.reports.push({ recording, report: JSON.parse(text) as CopyReport });
      return reply(world.host.reportStatus, {});
    }
    const callback = JSON.parse(text) as RecordingCallback;
    world.registered.push(callback);
    const answer = world.host.answer(callback);
    return typeof answer === 'number' ? reply(answer, {}) : reply(200, { forwarded: true, ...answer });
  });
  await world.startHost();
  return world;
}

/** The answer that lets the Function copy. */
export function copyLease(
  callback: RecordingCallback,
  more: { rate?: number; forwarded?: boolean; forwardTo?: TaskSid; durationSeconds?: number } = {},
): IngestAnswer {
  const { durationSeconds, ...rest } = more;
  return {
    action: 'copy',
    lease,
    leaseMs: 15_000,
    source: {
      accountSid: callback.accountSid,
      recordingSid: callback.recordingSid,
      channels: 2,
      ...(durationSeconds === undefined ? {} : { durationSeconds }),
    },
    objectKey: `recordings/${callback.accountSid}/${callback.recordingSid}`,
    rate: 1e9,
    forwarded: true,
    ...rest,
  };
}

async function readObject(sandbox: Sandbox, key: string): Promise<Buffer> {
  const { createStore } = await import('@flex-custody/vault');
  const store = createStore({ ...sandbox.s3, pathStyle: true, mode: 'envelope' });
  try {
    const { body } = await store.get(key);
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  } finally {
    store.close();
  }
}
