import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { until } from '../../../test/support/until.ts';
import { type Child, startChild } from './children.ts';

let folder: string;
let child: Child | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'children-'));
});

afterEach(async () => {
  await child?.stop(0);
  rmSync(folder, { recursive: true });
});

const start = (script: string, onLine?: (line: string) => void): Child => {
  child = startChild({
    name: 'child',
    args: ['-e', script],
    env: { WORD: 'hello' },
    cwd: folder,
    logFolder: folder,
    ...(onLine ? { onLine } : {}),
  });
  return child;
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const forever = 'setInterval(() => undefined, 1000);';

test('is told and logged line by line, and gets no more environment than it is given', async () => {
  const lines: string[] = [];
  const { ended } = start('console.log(process.env.WORD); console.error(process.env.HOME)', (line) =>
    lines.push(line),
  );
  await ended;
  expect(lines.sort()).toEqual(['hello', 'undefined']);
  await until(() => readFileSync(join(folder, 'child.log'), 'utf8').split('\n').length === 3);
});

test('is ready when it says so', async () => {
  let asked = 0;
  await start(forever).ready(async () => {
    if (asked++ === 0) throw new Error('connection refused');
    return asked > 2;
  }, 5_000);
  expect(asked).toBe(3);
});

test('that ends before it is ready leaves its last words', async () => {
  const ready = start("console.error('the port is taken'); process.exit(1)").ready(async () => false, 5_000);
  await expect(ready).rejects.toThrow(/child ended before it was ready[\s\S]*the port is taken/);
});

test('that takes too long is not waited for', async () => {
  await expect(start(forever).ready(async () => false, 100)).rejects.toThrow('not ready within 0.1 s');
});

test('is asked to end, and ended when it does not', async () => {
  const lines: string[] = [];
  const polite = start(
    `process.on('SIGTERM', () => { console.log('closed'); process.exit() }); console.log('up'); ${forever}`,
    (line) => lines.push(line),
  );
  await until(() => lines.includes('up'));
  await polite.stop(5_000);
  expect(lines).toContain('closed');

  const stubborn = start(
    `process.on('SIGTERM', () => undefined); console.log('stubborn'); ${forever}`,
    (line) => lines.push(line),
  );
  await until(() => lines.includes('stubborn'));
  await stubborn.stop(50);
  expect(isAlive(stubborn.pid)).toBe(false);
});

test('ends when its parent is gone, however it went', async () => {
  const preload = resolve('sandbox/src/guard/end-with-parent.cjs');
  const script = `
    const child = require('node:child_process').spawn(process.execPath, ['--require', ${JSON.stringify(preload)}, '-e', ${JSON.stringify(forever)}],
      { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    console.log(child.pid); ${forever}`;
  const parent = spawn(process.execPath, ['-e', script]);
  const pid = Number(
    await new Promise<string>((done) => parent.stdout.once('data', (data) => done(String(data)))),
  );
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await until(() => !isAlive(pid));
});
