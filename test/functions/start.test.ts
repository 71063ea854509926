import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePorts } from '../../sandbox/src/stack/ports.ts';

let folder: string;
/** Ports that nobody has: what is tried here is something else. */
let free: Record<string, string>;

beforeEach(async () => {
  const [sandbox, server, functions] = await freePorts(3);
  free = { SANDBOX_PORT: `${sandbox}`, PORT: `${server}`, FUNCTIONS_PORT: `${functions}` };
  folder = mkdtempSync(join(tmpdir(), 'start-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** `node start.mjs` as npm runs it, on a machine that `preload` (CommonJS) makes different from this one. */
function start(options: {
  args?: string[];
  env?: Record<string, string>;
  preload?: string;
  script?: string;
}) {
  const preload = join(folder, 'preload.cjs');
  writeFileSync(preload, options.preload ?? '');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--require', preload, options.script ?? resolve('start.mjs'), ...(options.args ?? ['--exit'])],
    { encoding: 'utf8', env: { PATH: process.env['PATH'], ...options.env }, timeout: 60_000 },
  );
  return { status, stdout, stderr };
}

test.each(['18.19.1', '20.11.0'])('Node %s is told to be too old, and what to do', (version) => {
  const { status, stderr } = start({
    preload: `Object.defineProperty(process.versions, 'node', { value: ${JSON.stringify(version)} });`,
  });
  expect(status).toBe(1);
  expect(stderr).toContain(`Node 20.12 or newer; it runs on ${version}`);
  expect(stderr).toContain('Next step: install a newer one');
});

test('a full disk is told before anything is written', () => {
  const { status, stderr } = start({
    preload: "require('node:fs').statfsSync = () => ({ bavail: 1000, bsize: 4096 });",
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(/Only 4 MB are free[\s\S]*Next step: make room/);
});

test('taken ports are told by name, all of them, and how to move ours', async () => {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((done) =>
          server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port)),
        ),
    ),
  );
  const [sandbox = 0, functions = 0] = ports;
  const { status, stderr } = start({
    env: { SANDBOX_PORT: `${sandbox}`, PORT: '0', FUNCTIONS_PORT: `${functions}` },
  });
  for (const server of servers) server.close();
  expect(status).toBe(1);
  expect(stderr).toContain(`Port ${sandbox} (SANDBOX_PORT) is taken.\nPort ${functions} (FUNCTIONS_PORT)`);
  // One command moves all three.
  expect(stderr).toMatch(/SANDBOX_PORT=\d000 PORT=\d100 FUNCTIONS_PORT=\d200 npm start\n$/);
});

test('two of our ports that are one are refused at once', () => {
  const { status, stderr } = start({ env: { ...free, PORT: free['SANDBOX_PORT'] ?? '' } });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^SANDBOX_PORT and PORT are both \d+\.\nNext step: .*npm start\n$/);
});

test('help needs nothing but a build', () => {
  const { status, stdout } = start({ args: ['--help'] });
  expect([status, stdout]).toEqual([0, expect.stringContaining('--seconds N')]);
});

test('an option that there is not ends it with the help and status 2', () => {
  const { status, stderr } = start({
    args: ['--exti'],
    env: free,
  });
  expect([status, stderr]).toEqual([2, expect.stringMatching(/'--exti'[\s\S]*Usage: npm start/)]);
});

describe('beside a stack of the same checkout', () => {
  const second = (url: string) => {
    for (const name of ['start.mjs', 'prepare.mjs']) copyFileSync(name, join(folder, name));
    mkdirSync(join(folder, 'node_modules'));
    mkdirSync(join(folder, '.data/local'), { recursive: true });
    writeFileSync(join(folder, 'package-lock.json'), '{}');
    writeFileSync(join(folder, 'node_modules/.package-lock.json'), '{}');
    writeFileSync(join(folder, 'build.mjs'), 'process.exit(3)');
    writeFileSync(join(folder, '.data/local/stack.lock'), `${process.pid} 1 ${url}\n`);
    return start({ script: join(folder, 'start.mjs'), env: free });
  };

  test('a second start names its address and its logs', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { status, stderr } = second(url);
    server.close();
    expect(status).toBe(1);
    expect(stderr).toContain(`Already running at ${url} (process ${process.pid})`);
    expect(stderr).toContain('.data/local/server.log');
  });

  test('a lock whose address has no listener is no stack', () => {
    const { stderr } = second(`http://127.0.0.1:${free['SANDBOX_PORT']}`);
    expect(stderr).toContain('build has failed (3)');
  });
});

describe('what is missing is installed', () => {
  /** A checkout whose npm writes down what it was asked, and installs; whose build fails, which ends the start. */
  const checkout = (installed: 'never' | 'before the lock file' | 'after it') => {
    for (const name of ['start.mjs', 'prepare.mjs']) copyFileSync(name, join(folder, name));
    writeFileSync(join(folder, 'package-lock.json'), '{}');
    writeFileSync(join(folder, 'build.mjs'), "console.log('built'); process.exit(3)");
    writeFileSync(
      join(folder, 'npm.cjs'),
      `require('node:fs').writeFileSync(${JSON.stringify(join(folder, 'asked'))}, process.argv.slice(2).join(' '))`,
    );
    if (installed !== 'never') {
      const mark = join(folder, 'node_modules/.package-lock.json');
      mkdirSync(join(folder, 'node_modules'));
      writeFileSync(mark, '{}');
      const at = Date.now() / 1000 + (installed === 'after it' ? 60 : -60);
      utimesSync(mark, at, at);
    }
    const env = { npm_execpath: join(folder, 'npm.cjs'), ...free };
    return start({ script: join(folder, 'start.mjs'), env });
  };
  const asked = () => {
    try {
      return readFileSync(join(folder, 'asked'), 'utf8');
    } catch {
      return undefined;
    }
  };

  test.each([
    ['never', 'ci --no-audit --no-fund'],
    ['before the lock file', 'ci --no-audit --no-fund'],
    ['after it', undefined],
  ] as const)('installed %s', (installed, expected) => {
    const { status, stdout, stderr } = checkout(installed);
    expect(asked()).toBe(expected);
    // Standard output is the summary's: everybody else talks beside it.
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/built[\s\S]*build has failed \(3\)[\s\S]*Next step/);
  });
});
