import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDirectory } from './lock.ts';

let directory: string;
const file = () => join(directory, 'lock');
const holder = (fields: object) =>
  writeFileSync(file(), JSON.stringify({ host: hostname(), nonce: 'x', ...fields }));
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lock-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('one holder at a time; released, the directory is free again', () => {
  const lock = lockDirectory(directory);
  expect(() => lockDirectory(directory)).toThrow(/in use by process \d+ on .*CUSTODY_DATA_DIR/);
  lock.release();
  lockDirectory(directory).release();
});

test('the lock of a dead process is taken over', () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  holder({ pid: dead });
  const lock = lockDirectory(directory);
  expect(JSON.parse(readFileSync(file(), 'utf8')).pid).toBe(process.pid);
  lock.release();
});

test('the lock of a living process is not', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  try {
    holder({ pid: child.pid });
    expect(() => lockDirectory(directory)).toThrow(expect.objectContaining({ code: 'data_dir_locked' }));
  } finally {
    child.kill('SIGKILL');
  }
});

test('where nobody can tell whether the number is another process’s by now, the lock file and the way to tell are named', () => {
  // As on macOS and Windows, which do not tell when a process started.
  holder({ pid: process.pid });
  const old = new Date(Date.now() - 48 * 3_600_000);
  utimesSync(file(), old, old);
  const before = readFileSync(file(), 'utf8');
  expect(() => lockDirectory(directory)).toThrow(
    expect.objectContaining({
      code: 'data_dir_locked',
      message: expect.stringMatching(
        new RegExp(
          `process ${process.pid}, unless .* ps -p ${process.pid}: .* delete ${file()}; or set CUSTODY_DATA_DIR`,
        ),
      ),
    }),
  );
  expect(readFileSync(file(), 'utf8')).toBe(before);
});

const onLinux = process.platform === 'linux' ? test : Reflect.get(test, 'skip');
onLinux('a pid that now belongs to another process does not keep the directory', () => {
  holder({ pid: process.pid, started: '1' });
  lockDirectory(directory).release();
});

test('a holder on another machine keeps it as long as it gives signs of life', () => {
  holder({ pid: 1, host: 'elsewhere' });
  expect(() => lockDirectory(directory)).toThrow('process 1 on elsewhere');
  const past = new Date(Date.now() - 120_000);
  utimesSync(file(), past, past);
  lockDirectory(directory).release();
});

test('a lock cut short by a crash is taken over once it is old', () => {
  writeFileSync(file(), '{"pi');
  expect(() => lockDirectory(directory)).toThrow('another process');
  const past = new Date(Date.now() - 120_000);
  utimesSync(file(), past, past);
  lockDirectory(directory).release();
});

test('a dead lock is replaced by one process at a time', () => {
  holder({ pid: spawnSync(process.execPath, ['-e', '']).pid });
  mkdirSync(`${file()}.recovery`);
  expect(() => lockDirectory(directory)).toThrow('another process');
  const past = new Date(Date.now() - 120_000);
  utimesSync(`${file()}.recovery`, past, past);
  lockDirectory(directory).release();
});

test('releasing does not remove the lock of a successor', () => {
  const lock = lockDirectory(directory);
  holder({ pid: process.pid, nonce: 'successor' });
  lock.release();
  expect(JSON.parse(readFileSync(file(), 'utf8')).nonce).toBe('successor');
});
