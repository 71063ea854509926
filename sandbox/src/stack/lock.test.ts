import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFolder } from './lock.ts';

let folder: string;
const lock = () => join(folder, 'stack.lock');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

test('a folder is held once, and free again when it is given back', () => {
  const unlock = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(`process ${process.pid}`);
  unlock();
  expect(existsSync(lock())).toBe(false);
  lockFolder(folder)();
});

test('what a dead process left is no lock', () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  writeFileSync(lock(), `${pid} 1\n`);
  lockFolder(folder)();
});

test('nor is it one where another process bears its number by now', () => {
  writeFileSync(lock(), `${process.pid} 1\n`);
  expect(existsSync('/proc/self/stat')).toBe(true);
  lockFolder(folder)();
});

test('half a lock is none', () => {
  writeFileSync(lock(), '');
  lockFolder(folder)();
});

test("another's lock is not given back", () => {
  const unlock = lockFolder(folder);
  writeFileSync(lock(), '1 1\n');
  unlock();
  expect(existsSync(lock())).toBe(true);
});
