import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signRequest } from '@flex-custody/vault';
import { callbackForm } from '../../sandbox/src/callbacks.ts';
import type { PlacedCall } from '../../sandbox/src/calls.ts';
import { type Sandbox, startSandbox } from '../../sandbox/src/index.ts';
import { serverEnvironment } from '../../sandbox/src/stack/environments.ts';
import { freePorts } from '../../sandbox/src/stack/ports.ts';
import { makeSecrets } from '../../sandbox/src/stack/secrets.ts';
import type { RecordingRow } from '../../server/src/catalog/recording-row.ts';
import { until } from '../support/until.ts';

const command = 'server/bin/flex-custody.mjs';
export const functions = 'https://flex-custody-4200-dev.twil.io';

export interface RealHost {
  sandbox: Sandbox;
  url: string;
  env: Record<string, string>;
  /** The command line, as an operator would call it. */
  run(...words: string[]): Promise<{ code: number; out: string; err: string }>;
  /** A control of the sandbox. */
  control<T>(path: string, body: object): Promise<T>;
  /** Tells the host of a recording, as a Function would; with what it answers. */
  announce(recording: string): Promise<{ status: number; answer: unknown }>;
  show(recording: string): Promise<RecordingRow>;
  /** Waits until the recording is in this state. */
  reaches(recording: string, state: RecordingRow['state']): Promise<RecordingRow>;
  /** Plays it as a supervisor would in Flex Insights. */
  play(recording: string): Promise<{ status: number; audio: Buffer }>;
  place(call: object): Promise<PlacedCall>;
  /** Ends the host and starts it again, with these changes to its environment from now on. */
  restart(change: Record<string, string>, whileDown?: () => Promise<void>): Promise<void>;
  /** A folder of its own. */
  dataDir: string;
  stop(): Promise<void>;
}

/** The host and the command line as processes of their own, with the outside world at Twilio's own addresses. */
export async function startRealHost(own: Record<string, string> = {}): Promise<RealHost> {
  const dataDir = mkdtempSync(join(tmpdir(), 'real-host-'));
  const [server = 0, ops = 0] = await freePorts(2);
  const url = `http://127.0.0.1:${server}`;
  const sandbox = await startSandbox({
    port: 0,
    dataDir,
    functionsBaseUrl: functions,
    functionsOrigin: 'http://127.0.0.1:9',
    publicHostUrl: url,
  });
  const secrets = makeSecrets(dataDir);
  const env = serverEnvironment(
    sandbox,
    secrets,
    { server: url, functions, ports: { server, ops } },
    join(dataDir, 'host'),
    { CUSTODY_LOG_LEVEL: 'warn', PATH: process.env['PATH'] ?? '', ...own },
  );
  let host: ChildProcess;
  const start = async () => {
    host = spawn(process.execPath, [command, 'serve'], { env, stdio: ['ignore', 'inherit', 'inherit'] });
    await until(() =>
      fetch(url).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  };
  const end = async () => {
    const ended = new Promise((resolve) => host.once('exit', resolve));
    host.kill('SIGTERM');
    await ended;
  };
  await start();
  const control = async <T>(path: string, body: object): Promise<T> => {
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    return (await fetch(`${sandbox.url}/sandbox/${path}`, init)).json() as Promise<T>;
  };
  const run: RealHost['run'] = (...words) =>
    new Promise((resolve) => {
      execFile(process.execPath, [command, ...words], { env }, (error, out, err) =>
        resolve({ code: error ? Number(error.code) : 0, out, err }),
      );
    });
  const show = async (recording: string) =>
    JSON.parse((await run('recordings', 'show', recording)).out || 'null') as RecordingRow;
  return {
    sandbox,
    url,
    env,
    run,
    control,
    show,
    dataDir,
    async restart(change, whileDown) {
      await end();
      Object.assign(env, change);
      await whileDown?.();
      await start();
    },
    place: (call) => control('calls', { callback: false, ...call }),
    async announce(sid) {
      const recording = sandbox.twilio.world.recordings.get(sid);
      if (!recording) throw new Error(`Twilio has no ${sid}`);
      const form = callbackForm(sandbox.twilio.world, recording);
      const query = new URLSearchParams(recording.callback?.split('#')[0]?.split('?')[1]);
      const body = JSON.stringify({
        accountSid: form['AccountSid'],
        recordingSid: sid,
        // What was deleted since was announced when it was there.
        status: form['RecordingStatus'] === 'deleted' ? 'completed' : form['RecordingStatus'],
        hints: Object.fromEntries(query),
      });
      const path = '/ingest/recordings';
      const reply = await fetch(url + path, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-custody-signature': signRequest(secrets.functionSecret, 'POST', path, body, Date.now()),
        },
        body,
      });
      return { status: reply.status, answer: await reply.json() };
    },
    async reaches(recording, state) {
      let row: RecordingRow | undefined;
      await until(async () => {
        row = await show(recording);
        return row?.state === state;
      });
      return row as RecordingRow;
    },
    async play(recording) {
      const { token } = await control<{ token: string }>('tokens', {
        roles: ['supervisor', 'wfo.full_access'],
      });
      const answer = await fetch(`${url}/url-provider?recording=${recording}`, {
        headers: { authorization: `Basic ${Buffer.from(`token:${token}`).toString('base64')}` },
      });
      if (!answer.ok) return { status: answer.status, audio: Buffer.alloc(0) };
      const { media_url } = (await answer.json()) as { media_url: string };
      const media = await fetch(media_url);
      return { status: media.status, audio: Buffer.from(await media.arrayBuffer()) };
    },
    async stop() {
      await end();
      await sandbox.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
