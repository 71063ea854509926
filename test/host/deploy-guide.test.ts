import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { type Guard, startGuard } from '../../sandbox/src/guard/index.ts';
import { type Sandbox, startSandbox } from '../../sandbox/src/index.ts';
import type { Policy } from '../../sandbox/src/s3/policy.ts';
import type { Child } from '../../sandbox/src/stack/children.ts';
import { startFunctions } from '../../sandbox/src/stack/functions-child.ts';
import { freePorts } from '../../sandbox/src/stack/ports.ts';
import { until } from '../support/until.ts';

/**
 * Follows docs/deploy.md from an empty folder: writes its files, runs its commands in their order, and replaces nothing
 * but what the page says to replace. Vendors' command lines are stand-ins that note what they were given.
 */
jest.setTimeout(240_000);

interface Step {
  /** Name of a file to be saved; absent for commands. */
  file?: string;
  text: string;
}

const [guide = ''] = readFileSync('docs/deploy.md', 'utf8').split('\n# Reference\n');

const steps: Step[] = [...guide.matchAll(/(.*)\n\n```(\w+)\n([\s\S]*?)```/g)].flatMap(
  ([, before = '', kind = '', text = '']) => {
    const [, file] = /Save as `([^`]+)`:$/.exec(before) ?? [];
    return file !== undefined ? [{ file, text }] : kind === 'sh' ? [{ text }] : [];
  },
);

let folder: string;
let checkout: string;
let sandbox: Sandbox;
let ports: Record<'host' | 'ops' | 'functions' | 'upstream', number>;
let environment: Record<string, string>;
let host: ChildProcess | undefined;
let functions: Child | undefined;
let guard: Guard | undefined;
/** All that the commands have printed so far. */
let printed = '';

const local = (port: number) => `http://127.0.0.1:${port}`;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'deploy-')));
  checkout = join(folder, 'flex-custody');
  const [hostPort = 0, ops = 0, functionsPort = 0, upstream = 0] = await freePorts(4);
  ports = { host: hostPort, ops, functions: functionsPort, upstream };
  sandbox = await startSandbox({
    port: 0,
    dataDir: join(folder, 'sandbox'),
    functionsBaseUrl: `https://flex-custody-${ports.functions}-dev.twil.io`,
    functionsOrigin: local(ports.functions),
    publicHostUrl: local(ports.host),
  });
  // As new: nobody has a right in the bucket, Flex has no settings and no plugins.
  for (const user of Object.values(sandbox.s3.identities))
    user.policy = { Version: '2012-10-17', Statement: [] };
  const { world } = sandbox.twilio;
  Reflect.deleteProperty(world.flexConfiguration.ui_attributes, 'flex_custody');
  world.plugins.splice(0);
  copyCheckout();
  environment = {
    ...wayOut(),
    PATH: [makeStandIns(), dirname(process.execPath), process.env['PATH'] ?? ''].join(':'),
    HOME: folder,
    PORT: `${ports.host}`,
    CUSTODY_OPS_PORT: `${ports.ops}`,
  };
});
afterAll(async () => {
  if (host?.pid !== undefined && host.exitCode === null) {
    const ended = new Promise((resolve) => host?.once('exit', resolve));
    process.kill(-host.pid, 'SIGTERM');
    await ended;
  }
  await functions?.stop(1_000);
  await guard?.close();
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

test('whoever follows docs/deploy.md has a call recorded, copied and verified, and a doctor without complaints', async () => {
  for (const { file, text } of steps) {
    const filled = fill(text);
    if (file !== undefined) writeFileSync(join(checkout, file), filled);
    else if (filled.includes('flex-custody serve')) await serve(filled);
    else {
      if (filled.includes('recordings list')) await makeCall();
      await run(filled);
      await takeEffect();
    }
  }
  const asked = guide.match(/^npx flex-custody doctor/gm)?.length;
  expect(printed.match(/^Nothing must be fixed/gm)).toHaveLength(asked ?? 0);
  expect(printed).toMatch(/^RE[0-9a-f]{32} .* verified .* linked /m);
  expect(printed).toContain('No open alarms.');
  expect(printed).not.toContain('NodeVersionSupportWarning');
  for (const name of ['.env', '.env.deploy', 'custody-key.pem', 'signing-key.pem'])
    expect([name, statSync(join(checkout, name)).mode & 0o777]).toEqual([name, 0o600]);
  expect(given('twilio').map(({ words }) => words.slice(0, 2).join(' '))).toEqual([
    'serverless:deploy --environment',
    'serverless:deploy --production',
    'flex:plugins:deploy --changelog',
    'flex:plugins:deploy --changelog',
    'flex:plugins:release --plugin',
  ]);
  expect(given('aws').map(({ words }) => words[1])).toEqual([
    'create-bucket',
    'put-public-access-block',
    'put-bucket-versioning',
    'put-bucket-lifecycle-configuration',
    'create-user',
    'put-user-policy',
    'create-access-key',
    'create-user',
    'put-user-policy',
    'create-access-key',
  ]);
});

/** Puts values where the page has angle brackets or YOUR-BUCKET. @throws Error for a placeholder that nobody filled */
function fill(text: string): string {
  const { account, s3 } = sandbox;
  const [mediaSecret = ''] = /^[A-Za-z0-9+/]{43}=$/m.exec(printed) ?? [];
  const [sharedSecret = ''] = /^[0-9a-f]{64}$/m.exec(printed) ?? [];
  const [, publicKey = ''] = /^CUSTODY_PUBLIC_KEY=(\S+)$/m.exec(printed) ?? [];
  const values: Record<string, string> = {
    'https://<host>': local(ports.host),
    'https://<test domain>': local(ports.functions),
    'https://<production domain>': local(ports.functions),
    '<key id>': '2026-11',
    '<region>': s3.region,
    '<account SID>': account.accountSid,
    '<auth token>': account.authToken,
    '<workspace SID>': account.workspaceSid,
    '<access key of custody-host>': s3.identities.host.accessKeyId,
    '<secret of custody-host>': s3.identities.host.secretAccessKey,
    '<access key of custody-functions>': s3.identities.functions.accessKeyId,
    '<secret of custody-functions>': s3.identities.functions.secretAccessKey,
    '<checkout>': checkout,
    '<media secret>': mediaSecret,
    '<shared secret>': sharedSecret,
    '<public key>': publicKey,
    'YOUR-BUCKET': s3.bucket,
  };
  let filled = text;
  for (const [place, value] of Object.entries(values)) {
    if (!filled.includes(place)) continue;
    if (value === '') throw new Error(`nothing was printed that could stand for ${place}`);
    filled = filled.replaceAll(place, value);
  }
  const [left] = /<[^>\n]+>/.exec(filled) ?? [];
  if (left !== undefined) throw new Error(`the page does not say what ${left} is`);
  return filled;
}

async function run(commands: string): Promise<void> {
  const { code, out } = await new Promise<{ code: unknown; out: string }>((resolve) => {
    const options = { cwd: checkout, env: environment };
    execFile('bash', ['-e', '-o', 'pipefail', '-c', commands], options, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, out: `${stdout}\n${stderr}\n` }),
    );
  });
  printed += out;
  expect([commands, code, code === 0 ? '' : out]).toEqual([commands, 0, '']);
}

async function serve(command: string): Promise<void> {
  const options = { cwd: checkout, env: environment, detached: true, stdio: 'ignore' } as const;
  host = spawn('bash', ['-c', command], options);
  await until(() =>
    fetch(`${local(ports.ops)}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
}

interface Given {
  cwd: string;
  words: string[];
}

/** What this vendor's command line was given so far, in its order. */
function given(tool: 'aws' | 'twilio'): Given[] {
  return readFileSync(join(folder, 'given'), 'utf8')
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([name]) => name === tool)
    .map(([, cwd = '', ...words]) => ({ cwd, words }));
}

const after = (words: readonly string[], option: string): string => words[words.indexOf(option) + 1] ?? '';

/** What the vendors would have done by now. */
async function takeEffect(): Promise<void> {
  for (const { words } of given('aws').filter(({ words: [, what] }) => what === 'put-user-policy')) {
    const file = after(words, '--policy-document').replace('file://', '');
    const user = after(words, '--user-name') === 'custody-host' ? 'host' : 'functions';
    sandbox.s3.identities[user].policy = JSON.parse(readFileSync(join(checkout, file), 'utf8')) as Policy;
  }
  const deployed = given('twilio').filter(({ words: [what] }) => what === 'flex:plugins:deploy');
  const released = given('twilio').find(({ words: [what] }) => what === 'flex:plugins:release')?.words ?? [];
  const { plugins } = sandbox.twilio.world;
  plugins.splice(0);
  for (const { cwd } of deployed) {
    const manifest = readFileSync(join(cwd, 'package.json'), 'utf8');
    const { name, version } = JSON.parse(manifest) as { name: string; version: string };
    if (released.includes(`${name}@${version}`)) plugins.push({ name, version });
  }
  if (!guard && given('twilio').some(({ words: [what] }) => what === 'serverless:deploy'))
    await deployFunctions();
}

/** As the platform would run what was built, with what `.env.deploy` says and nothing else but its own variables. */
async function deployFunctions(): Promise<void> {
  const { account, s3 } = sandbox;
  const baseUrl = `https://flex-custody-${ports.functions}-dev.twil.io`;
  functions = await startFunctions({
    root: checkout,
    dataDir: folder,
    port: ports.upstream,
    environment: {
      ...wayOut(),
      ACCOUNT_SID: account.accountSid,
      AUTH_TOKEN: account.authToken,
      AWS_ENDPOINT_URL_S3: s3.endpoint,
      CUSTODY_FUNCTIONS_URL: baseUrl,
      ...(parseEnv(readFileSync(join(checkout, '.env.deploy'), 'utf8')) as Record<string, string>),
    },
  });
  guard = await startGuard({
    port: ports.functions,
    upstreamPort: ports.upstream,
    baseUrl,
    authToken: account.authToken,
    functionsFolder: join(checkout, 'dist/functions'),
    assetsFolder: join(checkout, 'assets'),
  });
}

/** A call as an agent would take it; its recording is verified once the host has described it. */
async function makeCall(): Promise<void> {
  const reply = await fetch(`${sandbox.url}/sandbox/calls`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ seconds: 5 }),
  });
  const { recordings } = (await reply.json()) as { recordings: string[] };
  await until(async () => {
    const { objects } = await sandbox.twilio.bucket.show();
    return recordings.every((sid) => objects.some(({ key }) => key.endsWith(`/${sid}.json`)));
  });
}

/** How this world is reached; who somebody is there the page's own files must say. */
function wayOut(): Record<string, string> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, ...rest } = sandbox.env;
  const { TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_WORKSPACE_SID, ...way } = rest;
  return way;
}

/** What git would have; what `npm ci` would install is moved to its place by the stand-in for npm. */
function copyCheckout(): void {
  const left = new Set(['node_modules', 'dist', '.git', '.data', 'test']);
  cpSync('.', checkout, {
    recursive: true,
    filter: (from) => !left.has(basename(from)) && !/\.env(\.deploy)?$/.test(from),
  });
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  for (const name of readdirSync('node_modules').filter((one) => !['.bin', '@flex-custody'].includes(one)))
    symlinkSync(join(process.cwd(), 'node_modules', name), join(modules, name));
  symlinkSync('../../server/bin/flex-custody.mjs', join(modules, '.bin/flex-custody'));
}

/** @returns their folder */
function makeStandIns(): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(folder, 'given'), '');
  const note = `#!/bin/sh\n{ printf '%s\\t%s' "\${0##*/}" "$PWD"; printf '\\t%s' "$@"; echo; } >> '${folder}/given'\n`;
  // The real one is further on in PATH.
  const install = `if [ "$1" != ci ]; then PATH="\${PATH#*:}" exec npm "$@"; fi\n[ "$PWD" != '${checkout}' ] || mv '${folder}/node_modules' .\n`;
  for (const [name, script] of Object.entries({ aws: note, twilio: note, npm: note + install })) {
    writeFileSync(join(bin, name), script);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}
