import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { subscribeWebhook } from '../agent-events/subscribe.ts';
import { startGuard } from '../guard/index.ts';
import { type Sandbox, startSandbox } from '../index.ts';
import { brevoEnvironment } from './brevo-file.ts';
import { type Child, startChild } from './children.ts';
import { type Addresses, functionsEnvironment, kmsEnvironments, serverEnvironment } from './environments.ts';
import { createEventStream, type EventStream, eventOf, type StackEvent } from './events.ts';
import { startFunctions } from './functions-child.ts';
import { freePorts } from './ports.ts';
import { makeSecrets } from './secrets.ts';
import { writeShellFile } from './shell-file.ts';

export type { StackEvent } from './events.ts';

export interface StackOptions {
  /** A folder of its own; files of an earlier stack are not reused. */
  dataDir: string;
  /** Root of the checkout, with `dist/` built; the current directory where absent. */
  root?: string;
  /** 0 or absent = a free one. */
  ports?: { sandbox?: number; server?: number; functions?: number };
  /** Another S3 instead of the sandbox's own, with a bucket that is there. */
  s3?: { endpoint: string; accessKeyId: string; secretAccessKey: string; bucket: string };
  /** PostgreSQL instead of the embedded database. */
  databaseUrl?: string;
  /** Where the keys of recordings are: in a file of the host's, by default, or in the sandbox's KMS. */
  keys?: 'file' | 'kms';
  /** Whether the host tells the sandbox's Brevo of every interaction; not where absent. */
  brevo?: boolean;
  /** More of the host's, and the Functions', environment; theirs wins. */
  serverEnv?: Readonly<Record<string, string>>;
  functionsEnv?: Readonly<Record<string, string>>;
  /** What host and Functions reach the outside world by, in place of the sandbox's own way. */
  reach?: (sandbox: Sandbox) => Promise<Readonly<Record<string, string>>>;
  onEvent?: (event: StackEvent) => void;
  /** What is being started, to show to a person who waits. */
  onStarting?: (what: string) => void;
}

export interface Stack {
  readonly urls: { sandbox: string; server: string; functions: string; ops: string };
  readonly sandbox: Sandbox;
  readonly dataDir: string;
  readonly events: EventStream;
  /** Resolves when the host's process has ended without being asked to. */
  readonly broken: Promise<Error>;
  /** Ends the host and leaves the rest: what an outage looks like from outside. */
  stopServer(): Promise<void>;
  /** `more` of the host's environment for this start alone: a role, say. */
  startServer(more?: Readonly<Record<string, string>>): Promise<void>;
  /** The host's environment, for the command line beside it. */
  readonly hostEnvironment: Readonly<Record<string, string>>;
  /** The same as a file for a shell: `. <file>`. */
  readonly shellFile: string;
  /** From now on agents' events go to the host's webhook, so that calls become sessions. */
  sendAgentEvents(): void;
  /** Of the host's process, as long as it runs. */
  serverPid(): number;
  close(): Promise<void>;
}

/** Ms that a child gets to close by itself. */
const graceMs = 2_500;

/**
 * Brings up the whole local stack: the outside world, the Functions behind a guard as strict as Twilio's gateway, and
 * the host with all its roles. Resolves when all of them answer.
 * @throws Error naming the part that did not come up, with its last words; nothing is left running then
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const root = options.root ?? process.cwd();
  for (const built of ['dist/functions', 'dist/server/main.js']) {
    if (!existsSync(join(root, built))) throw new Error(`${built} is missing: run \`npm run build\` first`);
  }
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer().catch(() => undefined);
  };
  try {
    return await bringUp(root, options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function bringUp(
  root: string,
  options: StackOptions,
  closers: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<Stack> {
  const { dataDir } = options;
  const tell = options.onStarting ?? (() => undefined);
  const events = createEventStream(options.onEvent);
  const secrets = makeSecrets(dataDir);
  const free = await freePorts(4);
  const port = (asked: number | undefined, index: number): number => asked || (free[index] as number);
  const ports = {
    server: port(options.ports?.server, 0),
    functions: port(options.ports?.functions, 1),
    ops: port(undefined, 2),
    upstream: port(undefined, 3),
  };
  const local = (number: number) => `http://127.0.0.1:${number}`;
  const baseUrl = `https://flex-custody-${ports.functions}-dev.twil.io`;
  const addresses: Addresses = { server: local(ports.server), functions: baseUrl, ports };

  tell('the outside world: Twilio and a bucket');
  const sandbox = await startSandbox({
    port: options.ports?.sandbox ?? 0,
    dataDir: join(dataDir, 'sandbox'),
    functionsBaseUrl: baseUrl,
    functionsOrigin: local(ports.functions),
    publicHostUrl: addresses.server,
    operators: { url: local(ports.ops), secret: secrets.operatorSecret },
    ...(options.s3 ? { s3: options.s3, bucket: options.s3.bucket } : {}),
    log: (line) => {
      const event = eventOf(line, 'sandbox');
      // The sandbox passes the host's events on again: counted here they would count twice.
      if (event && !event.event.startsWith('recording.')) events.push(event);
    },
  });
  closers.push(() => sandbox.close());

  const reach = await options.reach?.(sandbox);
  const passOn = relay(sandbox.url);
  const fromServer = (line: string) => {
    const event = eventOf(line, 'server');
    if (!event) return;
    events.push(event);
    if (event.event.startsWith('recording.')) passOn(event);
  };
  let server: Child | undefined;
  let asked = false;
  let breakWith: (error: Error) => void = () => undefined;
  const broken = new Promise<Error>((resolve) => {
    breakWith = resolve;
  });
  const inKms = options.keys === 'kms' ? kmsEnvironments(sandbox) : undefined;
  const hostEnvironment = serverEnvironment(sandbox, secrets, addresses, join(dataDir, 'host'), {
    ...(options.databaseUrl ? { DATABASE_URL: options.databaseUrl } : {}),
    ...inKms?.server,
    ...(options.brevo ? brevoEnvironment(sandbox, dataDir) : {}),
    ...options.serverEnv,
    ...reach,
  });
  const shellFile = writeShellFile(dataDir, hostEnvironment);
  closers.push(async () => rmSync(shellFile, { force: true }));
  const startServer = async (more: Readonly<Record<string, string>> = {}) => {
    asked = false;
    const child = startChild({
      name: 'server',
      args: [
        '--require',
        join(root, 'sandbox/src/guard/end-with-parent.cjs'),
        join(root, 'dist/server/main.js'),
      ],
      cwd: root,
      env: { ...hostEnvironment, ...more },
      logFolder: dataDir,
      onLine: fromServer,
    });
    server = child;
    void child.ended.then(() => {
      if (asked || server !== child) return;
      const error = new Error(`the host has ended; its log: ${join(dataDir, 'server.log')}`);
      events.fail(error);
      breakWith(error);
    });
    await child.ready(async () => (await fetch(`${local(ports.ops)}/readyz`)).ok);
  };
  const stopServer = async () => {
    asked = true;
    await server?.stop(graceMs);
  };
  closers.push(stopServer);

  tell('the Functions, behind a guard as strict as Twilio');
  tell('the server: http, worker and recorder');
  const assetsFolder = makeAssets(root, dataDir, sandbox);
  const functions = startFunctions({
    root,
    dataDir,
    assetsFolder: relative(root, assetsFolder),
    port: ports.upstream,
    environment: functionsEnvironment(sandbox, secrets, addresses, {
      ...inKms?.functions,
      ...options.functionsEnv,
      ...reach,
    }),
    onLine: (line) => {
      const event = eventOf(line, 'functions');
      if (event) events.push(event);
    },
  });
  closers.push(async () => (await functions).stop(graceMs));
  const guard = startGuard({
    port: ports.functions,
    upstreamPort: ports.upstream,
    baseUrl,
    authToken: sandbox.account.authToken,
    functionsFolder: join(root, 'dist/functions'),
    assetsFolder,
  });
  closers.push(async () => (await guard).close());
  await Promise.all([functions, guard, startServer()]);

  return {
    urls: {
      sandbox: sandbox.url,
      server: addresses.server,
      functions: local(ports.functions),
      ops: local(ports.ops),
    },
    sandbox,
    dataDir,
    hostEnvironment,
    shellFile,
    events,
    broken,
    stopServer,
    startServer,
    sendAgentEvents: () => void subscribeWebhook(sandbox.twilio.world, `${addresses.server}/events`),
    serverPid: () => server?.pid ?? 0,
    close,
  };
}

/** Ours, and the private authority of the biometrics' vendor, as an operator would put it there. */
function makeAssets(root: string, dataDir: string, { veridas }: Sandbox): string {
  const folder = join(dataDir, 'assets');
  cpSync(join(root, 'assets'), folder, { recursive: true });
  writeFileSync(join(folder, 'veridas-ca.private.pem'), veridas.ca);
  return folder;
}

/** Tells the sandbox's listeners (the start page) what happens on the host, in the order in which it happened. */
function relay(sandboxUrl: string): (event: StackEvent) => void {
  let last = Promise.resolve();
  return ({ at, ...event }) => {
    last = last.then(() =>
      fetch(`${sandboxUrl}/sandbox/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...event, at: new Date(at).toISOString() }),
      }).then(
        () => undefined,
        () => undefined,
      ),
    );
  };
}
