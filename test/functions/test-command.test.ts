import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/until.ts';

let folder: string;
/** Whoever the engines run as writes here what it was asked. */
let diary: string;

/** A checkout with everything but the tests: whose jest prints what it was given, and whose engines do as they are told. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'test-command-'));
  chmodSync(folder, 0o755);
  diary = join(folder, 'diary');
  mkdirSync(diary, { mode: 0o777 });
  chmodSync(diary, 0o777);
  mkdirSync(join(folder, 'tmp'));
  chmodSync(join(folder, 'tmp'), 0o755);
  mkdirSync(join(folder, 'test/engines'), { recursive: true });
  mkdirSync(join(folder, 'node_modules/jest/bin'), { recursive: true });
  for (const name of ['test.mjs', 'prepare.mjs', 'test/engines/engines.mjs'])
    copyFileSync(name, join(folder, name));
  writeFileSync(join(folder, 'package-lock.json'), '{}');
  writeFileSync(join(folder, 'node_modules/.package-lock.json'), '{}');
  writeFileSync(join(folder, 'build.mjs'), '');
  runner('console.log(JSON.stringify([process.argv.slice(2), process.env])); process.exitCode = 7;');
  engine('radosgw', 'echo http://127.0.0.1:9');
  engine('postgresql', 'echo postgresql://test@127.0.0.1:9/postgres');
});

let running: ChildProcess | undefined;
afterEach(() => {
  running?.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const runner = (script: string) => writeFileSync(join(folder, 'node_modules/jest/bin/jest.js'), script);
const engine = (name: string, start: string, installed = 'exit 0') =>
  writeFileSync(
    join(folder, `test/engines/${name}.sh`),
    `case $1 in installed) ${installed} ;; start) touch ${diary}/${name}-start; ${start} ;; stop) touch ${diary}/${name}-stop ;; esac\n`,
  );
const done = () => readdirSync(diary).sort();
const left = () => readdirSync(join(folder, 'tmp'));

function begin(env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(folder, 'test.mjs'), '--some', 'path'], {
    env: { PATH: process.env['PATH'], TMPDIR: join(folder, 'tmp'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running = child;
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    said.stdout += data;
  });
  child.stderr.on('data', (data) => {
    said.stderr += data;
  });
  const ended = new Promise<{ status: number | null; args: string[]; env: Record<string, string> }>(
    (resolve) => {
      child.once('close', (status) => {
        const [args, seen] = JSON.parse(said.stdout || '[[], {}]') as [string[], Record<string, string>];
        resolve({ status, args, env: seen });
      });
    },
  );
  return { child, ended, said };
}

test('the tests find the engines that are installed; they are stopped after, and the status is that of the tests', async () => {
  const { status, args, env } = await begin().ended;
  expect([status, args]).toEqual([7, ['--some', 'path']]);
  expect(env).toMatchObject({
    TEST_S3_ENDPOINT: 'http://127.0.0.1:9',
    TEST_S3_ACCESS_KEY_ID: 'testkey',
    TEST_DATABASE_URL: 'postgresql://test@127.0.0.1:9/postgres',
  });
  expect(done()).toEqual(['postgresql-start', 'postgresql-stop', 'radosgw-start', 'radosgw-stop']);
  expect(left()).toEqual([]);
});

test('engines that the environment names are used, and neither started nor stopped', async () => {
  const named = { TEST_S3_ENDPOINT: 'http://127.0.0.1:8', TEST_DATABASE_URL: 'postgresql://a@127.0.0.1:8/b' };
  expect((await begin(named).ended).env).toMatchObject(named);
  expect(done()).toEqual([]);
});

test('what is not installed, or does not start, is left out; the rest is tested', async () => {
  engine('radosgw', 'echo no room >&2; exit 1');
  engine('postgresql', 'exit 0', 'exit 1');
  const { ended, said } = begin();
  const { status, env } = await ended;
  expect([status, env['TEST_S3_ENDPOINT'], env['TEST_DATABASE_URL']]).toEqual([7, undefined, undefined]);
  expect(said.stderr).toContain('radosgw did not start, so what needs it is skipped: no room');
  expect(said.stderr).not.toContain('postgresql');
});

test('asked to end while the tests run: first they end, then the engines', async () => {
  runner(`
    process.on('SIGINT', () => process.exit(require('node:fs').existsSync(${JSON.stringify(join(diary, 'radosgw-stop'))}) ? 1 : 130));
    require('node:fs').writeFileSync(${JSON.stringify(join(diary, 'jest'))}, '');
    setInterval(() => undefined, 1000);
  `);
  const { child, ended } = begin();
  await until(() => existsSync(join(diary, 'jest')));
  child.kill('SIGINT');
  expect((await ended).status).toBe(130);
  expect(done()).toContain('radosgw-stop');
  expect(left()).toEqual([]);
});

test('asked to end while an engine starts: what has begun of it ends too', async () => {
  const beat = join(diary, 'beat');
  engine('radosgw', `while sleep 0.02; do touch ${beat}; done`);
  const { child, ended } = begin();
  await until(() => existsSync(beat));
  child.kill('SIGTERM');
  expect((await ended).status).toBe(143);
  expect(done()).toContain('radosgw-stop');
  rmSync(beat);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(existsSync(beat)).toBe(false);
});

test.each(['18.19.1', '20.11.0'])('Node %s is told to be too old, and what to do', async (version) => {
  writeFileSync(
    join(folder, 'old.cjs'),
    `Object.defineProperty(process.versions, 'node', { value: '${version}' });`,
  );
  const { ended, said } = begin({ NODE_OPTIONS: `--require ${join(folder, 'old.cjs')}` });
  expect((await ended).status).toBe(1);
  expect(said.stderr).toContain(`Node 20.12 or newer; it runs on ${version}`);
  expect(said.stderr).toMatch(/Next step: install a newer one.*run `npm test` again/);
  expect(done()).toEqual([]);
});
