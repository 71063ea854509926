import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFolder } from './lock.ts';

const url = 'http://127.0.0.1:4000';
let folder: string;
const lock = () => join(folder, 'stack.lock');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

test('a folder is held once, and free again when it is given back', () => {
  const unlock = lockFolder(folder, url);
  expect(() => lockFolder(folder, url)).toThrow(`Already running at ${url} (process ${process.pid})`);
  unlock();
  expect(existsSync(lock())).toBe(false);
  lockFolder(folder, url)();
});

test('what a dead process left is no lock', () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  writeFileSync(lock(), `${pid} 1 ${url}\n`);
  lockFolder(folder, url)();
});

test('nor is it one where another process bears its number by now', () => {
  writeFileSync(lock(), `${process.pid} 1 ${url}\n`);
  expect(existsSync('/proc/self/stat')).toBe(true);
  lockFolder(folder, url)();
});

test('half a lock is none', () => {
  writeFileSync(lock(), '');
  lockFolder(folder, url)();
});

test("another's lock is not given back", () => {
  const unlock = lockFolder(folder, url);
  writeFileSync(lock(), '1 1 x\n');
  unlock();
  expect(existsSync(lock())).toBe(true);
});
