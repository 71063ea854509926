import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlacedCall } from '../../sandbox/src/calls.ts';
import { type Sandbox, startSandbox } from '../../sandbox/src/index.ts';
import { serverEnvironment } from '../../sandbox/src/stack/environments.ts';
import { freePorts } from '../../sandbox/src/stack/ports.ts';
import { makeSecrets } from '../../sandbox/src/stack/secrets.ts';

/** The host and the command line as processes of their own, with the outside world at Twilio's own addresses. */
const command = 'server/bin/flex-custody.mjs';
const functions = 'https://flex-custody-4200-dev.twil.io';
let dataDir: string;
let sandbox: Sandbox;
let host: ChildProcess;
let url: string;
let env: Record<string, string>;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'host-live-'));
  const [server = 0, ops = 0] = await freePorts(2);
  url = `http://127.0.0.1:${server}`;
  sandbox = await startSandbox({
    port: 0,
    dataDir,
    functionsBaseUrl: functions,
    functionsOrigin: 'http://127.0.0.1:9',
    publicHostUrl: url,
  });
  const addresses = { server: url, functions, ports: { server, ops } };
  const own = {
    CUSTODY_PAUSE_RESUME_SECONDS: '1',
    CUSTODY_LOG_LEVEL: 'warn',
    PATH: process.env['PATH'] ?? '',
  };
  env = serverEnvironment(sandbox, makeSecrets(dataDir), addresses, join(dataDir, 'host'), own);
  host = spawn(process.execPath, [command, 'serve'], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  await until(() =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
});
afterAll(async () => {
  const ended = new Promise((resolve) => host.once('exit', resolve));
  host.kill('SIGTERM');
  await ended;
  await sandbox.close();
  rmSync(dataDir, { recursive: true, force: true });
});

// A host of its own takes its time where other tests are busy beside it.
jest.setTimeout(120_000);

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await done())) {
    if (Date.now() > end) throw new Error('did not happen in time');
    await sleep(100);
  }
}

async function control<T>(path: string, body: object): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify(body) };
  return (await fetch(`${sandbox.url}/sandbox/${path}`, init)).json() as Promise<T>;
}

/** A call as it is before its end, its recordings paused by a Function whose report was lost. */
async function pausedCall() {
  const placed = await control<PlacedCall>('calls', { seconds: 2, callback: false });
  const { calls, conferences, recordings, reservations, tasks } = sandbox.twilio.world;
  const conference = conferences.get(placed.conference)!;
  conference.status = 'in-progress';
  for (const participant of conference.participants) {
    participant.status = 'connected';
    Object.assign(calls.get(participant.callSid)!, { status: 'in-progress', endedAt: null });
  }
  for (const { reservation } of placed.reservations) reservations.get(reservation)!.status = 'accepted';
  const task = tasks.get(placed.task)!;
  const since = Date.now();
  const [agent] = placed.reservations;
  const mark = { paused: { since, by: agent!.worker } };
  const attributes = { ...JSON.parse(task.attributes), flex_custody: mark };
  Object.assign(task, {
    status: 'assigned',
    attributes: JSON.stringify(attributes),
    version: task.version + 1,
  });
  for (const sid of placed.recordings) recordings.get(sid)!.status = 'paused';
  const other = [...sandbox.twilio.world.workers.keys()].find((worker) => worker !== agent!.worker)!;
  return { ...placed, since, agent: agent!.worker, other };
}

async function tell(worker: string, kind: string, call: Awaited<ReturnType<typeof pausedCall>>) {
  const { token } = await control<{ token: string }>('tokens', { roles: ['agent'], worker_sid: worker });
  const report = {
    id: randomUUID(),
    kind,
    at: call.since,
    taskSid: call.task,
    conferenceSid: call.conference,
    recordings: call.recordings,
  };
  const answer = await fetch(`${url}/reports`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from(`token:${token}`).toString('base64')}`,
    },
    body: JSON.stringify(report),
  });
  return [answer.status, await answer.json()];
}

test('a pause of which the browser tells is resumed in its time, and only of its own call', async () => {
  const call = await pausedCall();
  const { recordings, tasks } = sandbox.twilio.world;
  expect(await tell(call.other, 'paused', call)).toEqual([403, { error: 'not_your_call' }]);
  expect(await tell(call.agent, 'paused', call)).toEqual([200, { accepted: true }]);
  await until(() => call.recordings.every((sid) => recordings.get(sid)!.status === 'in-progress'));
  await until(() => !('flex_custody' in JSON.parse(tasks.get(call.task)!.attributes)));
});

const setup = (...flags: string[]) =>
  new Promise<{ code: number; out: string }>((resolve) => {
    execFile(process.execPath, [command, 'setup', ...flags], { env }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out: out + err }),
    );
  });

test('setup writes what the desktop is then served, and what was there stays', async () => {
  const before = structuredClone(sandbox.twilio.world.flexConfiguration.ui_attributes);
  const flags = ['--mode', 'theirs', '--functions-url', functions];
  expect(await setup(...flags)).toMatchObject({ code: 1, out: expect.stringContaining('--yes') });
  expect(sandbox.twilio.world.flexConfiguration.ui_attributes).toEqual(before);
  expect(await setup(...flags, '--yes')).toMatchObject({
    code: 0,
    out: expect.stringContaining('read back'),
  });
  expect(await setup(...flags)).toMatchObject({
    code: 0,
    out: expect.stringContaining('nothing is to be written'),
  });
  const served = await (await fetch(`${sandbox.url}/sandbox/live/configuration`)).json();
  expect(served).toMatchObject({
    call_recording_enabled: true,
    call_recording_webhook_url: `${functions}/recording-status-callback?taskSid={taskSid}#rc=5&rp=all`,
    ui_attributes: {
      version_compatibility: 'yes',
      flex_custody: { functions_url: functions, host_url: url, recording: { mode: 'theirs' } },
    },
  });
});
