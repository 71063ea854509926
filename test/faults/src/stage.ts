import { spawn } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGuard } from '../../../sandbox/src/guard/index.ts';
import { type Sandbox, startSandbox } from '../../../sandbox/src/index.ts';
import { type Child, startChild } from '../../../sandbox/src/stack/children.ts';
import {
  type Addresses,
  functionsEnvironment,
  serverEnvironment,
} from '../../../sandbox/src/stack/environments.ts';
import { startFunctions } from '../../../sandbox/src/stack/functions-child.ts';
import { freePorts } from '../../../sandbox/src/stack/ports.ts';
import { makeSecrets, type StackSecrets } from '../../../sandbox/src/stack/secrets.ts';
import type { Db } from '../../../server/src/db/db.ts';
import { openDatabase } from '../../../server/src/db/open.ts';
import type { OperatorApi } from '../../../server/src/http/operators/operator-api.ts';
import { remoteOperatorApi } from '../../../server/src/http/operators/remote.ts';
import { operatorSecret } from '../../../server/src/http/operators/routes.ts';
import { until } from '../../support/until.ts';
import { type EventWays, openEventWays } from './event-stage.ts';
import type { Victim } from './plan.ts';
import { startFaultyWay } from './s3-faults.ts';

/** Real engines instead of the sandbox's bucket and the embedded database. */
export interface RealEngines {
  s3: { endpoint: string; accessKeyId: string; secretAccessKey: string; bucket: string };
  databaseUrl: string;
  restartDatabase(): Promise<void>;
}

export interface Stage {
  readonly sandbox: Sandbox;
  /** Agents' events. */
  readonly events: EventWays;
  readonly secrets: StackSecrets;
  /** The bucket without the faults. */
  readonly bucket: { endpoint: string; accessKeyId: string; secretAccessKey: string; bucket: string };
  readonly urls: { host: string; functions: string };
  /** Where the host keeps what it keeps on this machine: its database, temporary files. */
  readonly hostFolder: string;
  readonly logFolder: string;
  /** What processes of ours said at ends that nobody asked for. */
  readonly accidents: readonly string[];
  /** What operators ask of the running host. */
  readonly api: OperatorApi;
  /** kill -9, and at once a new one. False where there is no such process. */
  kill(victim: Victim): Promise<boolean>;
  /** As if its machine had stood still. False where there is no such process. */
  suspend(victim: Victim, ms: number): Promise<boolean>;
  /** Abruptly. False where the database is the host's own. */
  restartDatabase(): Promise<boolean>;
  /** The command line, in the host's environment; its standard output. @throws Error with what it said */
  command(...args: string[]): Promise<string>;
  stopHosts(): Promise<void>;
  startHosts(): Promise<void>;
  /** Settings that a host is started with from its next start on, in the place of those that it was given so before. */
  settings(of: 'host' | 'worker', more: Readonly<Record<string, string>>): void;
  /** The database, while no host runs. */
  database(): Promise<Db>;
  close(): Promise<void>;
}

/** Failures become dead letters within about two minutes, not half a day. */
const settings = {
  CUSTODY_RETRIES: '6',
  CUSTODY_RETRY_SECONDS: '1',
  CUSTODY_AGENTS_MAY_PLAY_OWN: 'false',
  // Nothing that was forged may last, whether or not an original is to be deleted.
  CUSTODY_PROVE: 'always',
};
const hosts = ['host', 'worker', 'recorder'] as const;
const readyMs = 60_000;
const graceMs = 12_000;
const startsAtMost = 20;
const startAgainMs = 500;

/** Everything up: the outside world, Functions, guard, a host with all roles and, on a real database, another worker and another recorder. */
export async function openStage(folder: string, real: RealEngines | undefined): Promise<Stage> {
  const hostFolder = join(folder, 'host');
  const logFolder = join(folder, 'logs');
  for (const each of [join(hostFolder, 'tmp'), logFolder]) mkdirSync(each, { recursive: true });
  const [server = 0, functionsPort = 0, ops = 0, upstream = 0, ...others] = await freePorts(8);
  const local = (port: number) => `http://127.0.0.1:${port}`;
  const base = `https://flex-custody-${functionsPort}-dev.twil.io`;
  const secrets = makeSecrets(folder);
  const sandbox = await startSandbox({
    port: 0,
    dataDir: join(folder, 'sandbox'),
    functionsBaseUrl: base,
    functionsOrigin: local(functionsPort),
    publicHostUrl: local(server),
    ...(real && { s3: real.s3, bucket: real.s3.bucket }),
    flex: { build: false },
  });
  const bucket = { ...sandbox.s3 };
  const way = real && (await startFaultyWay(real.s3.endpoint, sandbox.twilio.faults));
  if (way) sandbox.s3.endpoint = way.endpoint;

  const events = await openEventWays(folder, sandbox, local(server));

  const accidents: string[] = [];
  const children = new Map<Victim, Child>();
  let closing = false;
  const starts: Partial<Record<Victim, () => Promise<Child>>> = {};
  const begin = async (name: Victim, attempts = startsAtMost): Promise<void> => {
    const start = starts[name];
    if (!start) return;
    let child: Child;
    try {
      child = await start();
    } catch (error) {
      // Whoever supervises a process starts it again: its database may be away just now, or in an operator's hands.
      if (attempts === 1 || closing) throw error;
      await sleep(startAgainMs);
      return begin(name, attempts - 1);
    }
    children.set(name, child);
    void child.ended.then(() => {
      if (!closing && children.get(name) === child) accidents.push(`${name} ended by itself`);
    });
  };
  const given = new Map<Victim, Readonly<Record<string, string>>>();
  const hostStart = (name: Victim, addresses: Addresses, more: Record<string, string>) => async () => {
    const child = startChild({
      name,
      args: [
        '--require',
        join(process.cwd(), 'sandbox/src/guard/end-with-parent.cjs'),
        'dist/server/main.js',
      ],
      cwd: process.cwd(),
      logFolder,
      env: serverEnvironment(sandbox, secrets, addresses, join(hostFolder, 'db'), {
        ...settings,
        ...events.settings,
        TMPDIR: join(hostFolder, 'tmp'),
        ...(real && { DATABASE_URL: real.databaseUrl }),
        ...more,
        ...given.get(name),
      }),
    });
    const port = addresses.ports.ops;
    // Alive, not ready: the bucket or the database may be made to fail at this very moment.
    await child
      .ready(async () => (await fetch(`${local(port)}/healthz`)).ok, readyMs)
      .catch(async (error: unknown) => {
        // What starts slowly holds the embedded database.
        await child.stop(0);
        throw error;
      });
    return child;
  };
  const addresses: Addresses = { server: local(server), functions: base, ports: { server, ops } };
  starts.host = hostStart('host', addresses, {});
  if (real)
    for (const role of ['worker', 'recorder'] as const) {
      const ports = { server: others.pop() ?? 0, ops: others.pop() ?? 0 };
      starts[role] = hostStart(role, { ...addresses, ports }, { CUSTODY_ROLES: role });
    }
  const assets = join(folder, 'assets');
  cpSync('assets', assets, { recursive: true });
  starts.functions = () =>
    startFunctions({
      root: process.cwd(),
      dataDir: logFolder,
      assetsFolder: relative(process.cwd(), assets),
      port: upstream,
      environment: functionsEnvironment(sandbox, secrets, addresses, {}),
    });
  const guard = await startGuard({
    port: functionsPort,
    upstreamPort: upstream,
    baseUrl: base,
    authToken: sandbox.account.authToken,
    functionsFolder: 'dist/functions',
    assetsFolder: assets,
  });
  const stopHosts = async () => {
    closing = true;
    await Promise.all(hosts.map((name) => children.get(name)?.stop(graceMs)));
    for (const name of hosts) children.delete(name);
  };
  const startHosts = async () => {
    closing = false;
    for (const name of hosts) await begin(name);
  };
  const close = async () => {
    closing = true;
    await Promise.all([...children.values()].map((child) => child.stop(graceMs)));
    await guard.close();
    await way?.close();
    await sandbox.close();
    await events.close();
  };
  try {
    for (const name of [...hosts, 'functions'] as const) await begin(name);
    // A storm that passes while the first host is still making its database is none.
    await until(async () => (await fetch(`${local(ops)}/readyz`)).ok, readyMs);
  } catch (error) {
    await close();
    throw error;
  }
  const environment = serverEnvironment(sandbox, secrets, addresses, join(hostFolder, 'db'), {
    ...settings,
    ...events.settings,
    ...(real && { DATABASE_URL: real.databaseUrl }),
  });
  const mediaSecret = new Uint8Array(Buffer.from(secrets.mediaSecret, 'base64'));
  return {
    sandbox,
    events,
    secrets,
    bucket,
    urls: { host: local(server), functions: local(functionsPort) },
    hostFolder,
    logFolder,
    accidents,
    api: remoteOperatorApi(local(ops), operatorSecret(mediaSecret)),
    async kill(victim) {
      const child = children.get(victim);
      if (!child) return false;
      children.delete(victim);
      process.kill(child.pid, 'SIGKILL');
      await child.ended;
      await begin(victim);
      return true;
    },
    async suspend(victim, ms) {
      const child = children.get(victim);
      if (!child) return false;
      process.kill(child.pid, 'SIGSTOP');
      await sleep(ms);
      process.kill(child.pid, 'SIGCONT');
      return true;
    },
    async restartDatabase() {
      await real?.restartDatabase();
      return real !== undefined;
    },
    command: (...args) => commandLine(args, environment),
    stopHosts,
    startHosts,
    settings: (of, more) => void given.set(of, more),
    database: () => openDatabase(real ? { url: real.databaseUrl } : { directory: join(hostFolder, 'db') }),
    close,
  };
}

function commandLine(args: readonly string[], env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['server/bin/flex-custody.mjs', ...args], { env });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].on('data', (chunk: Buffer) => {
        said[name] += chunk.toString();
      });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(said.stdout);
      else
        reject(new Error(`flex-custody ${args.join(' ')} ended with ${code}: ${said.stderr.slice(-1_000)}`));
    });
  });
}
