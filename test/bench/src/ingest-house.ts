import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asAccountSid, asCallSid, asRecordingSid, asReservationSid, asTaskSid } from '@flex-custody/core';
import type { PlacedCall } from '../../../sandbox/src/calls.ts';
import { createCatalog } from '../../../server/src/catalog/create-catalog.ts';
import type { Db } from '../../../server/src/db/db.ts';
import { migrate } from '../../../server/src/db/migrate.ts';
import { openDatabase } from '../../../server/src/db/open.ts';
import { ingestJobs } from '../../../server/src/ingest/jobs.ts';
import { openQueue } from '../../../server/src/queue/boss-queue.ts';
import { makeSigningKey } from '../../../server/src/signing/load.ts';
import { allJobs } from '../../../server/src/start/jobs.ts';
import { cpuSeconds, type Environment, peakRssMb } from './processes.ts';

export interface Source {
  tlsPort: number;
  /** Of the same recordings, over TLS as Twilio's are, and without. */
  indexUrl: string;
  plainIndexUrl: string;
  caFile: string;
  callsFile: string;
  bytes: number;
  accountSid: string;
  authToken: string;
  workspaceSid: string;
}

export interface Taken {
  perSecond: number;
  /** Of both workers together, for each recording. */
  cpuSeconds: number;
  /** Of the larger worker. */
  peakMb: number;
}

export interface HouseOptions {
  databaseUrl: string;
  s3: { endpoint: string; accessKeyId: string; secretAccessKey: string };
  bucket: string;
  source: Source;
  dataDir: string;
}

const workers = 2;
const longMs = 3_600_000;

/** Two workers on a database and a bucket of their own; they find all recordings registered, and their jobs due at one moment. */
export async function takeIn(
  options: HouseOptions,
  way: 'copies alone' | 'the whole way',
  onProgress: (done: number, all: number) => void,
): Promise<Taken> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  const admin = await openDatabase({ url: options.databaseUrl });
  await admin.query(`CREATE DATABASE ${name}`);
  const url = new URL(options.databaseUrl);
  url.pathname = `/${name}`;
  const running: Worker[] = [];
  try {
    const db = await openDatabase({ url: url.href });
    try {
      const calls = JSON.parse(readFileSync(options.source.callsFile, 'utf8')) as PlacedCall[];
      await register(db, calls, options.source, way);
      const script = way === 'copies alone' ? 'dist/bench/ingest-copier.js' : 'dist/server/main.js';
      for (let index = 0; index < workers; index++) {
        const logFile = join(options.dataDir, `worker-${index}.log`);
        running.push(await startWorker(script, environment(options, url.href, index), logFile));
      }
      return await measure(db, running, calls.length, way, onProgress);
    } finally {
      await Promise.all(running.map(({ stop }) => stop()));
      await db.close();
    }
  } finally {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await admin.close();
  }
}

/** As the host does it for a callback; only that the jobs wait until everybody is ready. */
async function register(db: Db, calls: readonly PlacedCall[], source: Source, way: string): Promise<void> {
  await migrate(db);
  const accountSid = asAccountSid(source.accountSid);
  if (!accountSid) throw new Error('the source has no account');
  const catalog = createCatalog(db, accountSid);
  const queue = openQueue(db, { jobs: allJobs });
  const one = async (call: PlacedCall) => {
    const [entry] = call.reservations;
    const recordingSid = asRecordingSid(call.recordings[0]);
    if (!recordingSid || !entry) throw new Error('a call without a recording');
    const [callSid, taskSid, reservationSid] = [
      asCallSid(entry.call),
      asTaskSid(call.task),
      asReservationSid(entry.reservation),
    ];
    await catalog.register({
      recordingSid,
      accountSid,
      ...(callSid && { callSid }),
      channels: 2,
      durationSeconds: call.seconds,
      startedAt: new Date(call.startedAt),
      hints: { ...(taskSid && { taskSid }), ...(reservationSid && { reservationSid }) },
      sourceCompleted: true,
      source: 'callback',
    });
    const later = { startAfterMs: longMs };
    await queue.send(ingestJobs.copy, { recordingSid }, later);
    if (way === 'the whole way') await queue.send(ingestJobs.link, { recordingSid }, later);
  };
  for (let at = 0; at < calls.length; at += 10) await Promise.all(calls.slice(at, at + 10).map(one));
  await queue.stop(0);
}

async function measure(
  db: Db,
  running: readonly Worker[],
  all: number,
  way: string,
  onProgress: (done: number, all: number) => void,
): Promise<Taken> {
  const cpu = () => running.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
  // All at one moment, and known to the planner, as autovacuum makes it a backlog within the minute that it takes to come about.
  const { cpuBefore, began } = await db.transaction(async (inner) => {
    await inner.query(
      `UPDATE pgboss.job SET start_after = now() WHERE name IN ('copy', 'link') AND state = 'created'`,
    );
    await inner.query('ANALYZE');
    return { cpuBefore: cpu(), began: performance.now() };
  });
  const done = way === 'copies alone' ? `state = 'sealed'` : `state = 'verified' AND link_state = 'linked'`;
  for (let told = 0; ; ) {
    const [row] = await db.query<{ done: number; lost: number }>(
      `SELECT count(*) FILTER (WHERE ${done})::int AS done,
              count(*) FILTER (WHERE state IN ('failed', 'absent') OR link_state IN ('unlinked', 'refused'))::int AS lost
       FROM recordings`,
    );
    const now = row ?? { done: 0, lost: 0 };
    if (now.lost > 0) throw new Error(`${now.lost} recordings were lost on the way`);
    if (running.some(({ hasEnded }) => hasEnded())) throw new Error('a worker ended before its work did');
    if (performance.now() - told > 5_000) {
      told = performance.now();
      onProgress(now.done, all);
    }
    // What follows a verification, such as the sidecar, is a job too.
    if (now.done === all && (await isIdle(db, way))) break;
    // To look costs what is measured: often only when the end is near.
    await sleep(now.done < 0.98 * all ? 1_000 : 100);
  }
  const seconds = (performance.now() - began) / 1_000;
  return {
    perSecond: all / seconds,
    cpuSeconds: (cpu() - cpuBefore) / all,
    peakMb: Math.max(...running.map(({ pid }) => peakRssMb(pid))),
  };
}

async function isIdle(db: Db, way: string): Promise<boolean> {
  const open = await db.query(
    `SELECT 1 FROM pgboss.job WHERE state IN ('created', 'retry', 'active')
       AND data ? 'recordingSid' AND (name <> 'verify' OR $1) LIMIT 1`,
    [way === 'the whole way'],
  );
  return open.length === 0;
}

interface Worker {
  pid: number;
  hasEnded(): boolean;
  stop(): Promise<void>;
}

/** A real host's process, or one like it; it says when it is ready, as `host.ready`. Its log goes to a file, which nobody else reads. */
async function startWorker(script: string, env: Environment, logFile: string): Promise<Worker> {
  const profile = process.env['BENCH_PROFILE'];
  const flags = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
  const output = openSync(logFile, 'w');
  const child = spawn(process.execPath, [...flags, script], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', output, 'inherit'],
  });
  closeSync(output);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const tellErrors = () => {
    for (const line of readFileSync(logFile, 'utf8').split('\n'))
      if (/"level":"(error|fatal)"/.test(line)) process.stderr.write(`${line}\n`);
  };
  while (!readFileSync(logFile, 'utf8').includes('"host.ready"')) {
    if (hasEnded()) {
      tellErrors();
      throw new Error(`${script} ended with ${child.exitCode} before it was ready`);
    }
    await sleep(50);
  }
  return {
    pid: child.pid ?? 0,
    hasEnded,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      tellErrors();
    },
  };
}

function environment(options: HouseOptions, databaseUrl: string, index: number): Environment {
  const { source, s3, bucket, dataDir } = options;
  return {
    NODE_ENV: 'production',
    NODE_EXTRA_CA_CERTS: source.caFile,
    NODE_OPTIONS: `--require ${process.cwd()}/test/bench/direct.cjs`,
    BENCH_SOURCE_PORT: String(source.tlsPort),
    TWILIO_ACCOUNT_SID: source.accountSid,
    TWILIO_AUTH_TOKEN: source.authToken,
    TWILIO_WORKSPACE_SID: source.workspaceSid,
    DATABASE_URL: databaseUrl,
    CUSTODY_ROLES: 'worker',
    CUSTODY_PUBLIC_URL: 'https://custody.example',
    CUSTODY_OPS_HOST: `127.0.0.${index + 2}`,
    // What was registered here is all there is, and nobody is to look for more meanwhile.
    CUSTODY_RECONCILE_MINUTES: '0',
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    AWS_REGION: 'us-east-1',
    CUSTODY_BUCKET: bucket,
    CUSTODY_KEY_KIND: 'rsa',
    CUSTODY_KEY_FILE: keyFile(dataDir),
    CUSTODY_SIGNING_KEY_FILE: signingKeyFile(dataDir),
    CUSTODY_FUNCTION_SECRETS: 'nobody calls in this measurement ...',
    CUSTODY_MEDIA_SECRET: randomBytes(32).toString('base64'),
  };
}

function keyFile(folder: string): string {
  const file = join(folder, 'ingest-key.pem');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = `# key id: bench\n${privateKey.export({ type: 'pkcs8', format: 'pem' })}`;
  try {
    writeFileSync(file, pem, { mode: 0o600, flag: 'wx' });
  } catch {
    // Made for the other worker: both seal with one.
  }
  return file;
}

function signingKeyFile(folder: string): string {
  const file = join(folder, 'signing-key.pem');
  makeSigningKey(file);
  return file;
}
