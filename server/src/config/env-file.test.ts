import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envFile } from '../cli/doctor/env-file.ts';
import { checkEnvFile, envFileNote, loadEnvFile, readEnvFile } from './env-file.ts';

const name = 'OF_THE_ENV_FILE_TEST';
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'env-'));
  file = join(folder, '.env');
});
afterEach(() => {
  delete process.env[name];
  rmSync(folder, { recursive: true });
});

const write = (mode: number) => {
  writeFileSync(file, `${name}=yes\n`);
  chmodSync(file, mode);
  loadEnvFile(file);
};

test('is read where nobody else may write it', async () => {
  write(0o600);
  checkEnvFile();
  expect([process.env[name], readEnvFile(), envFileNote()]).toEqual(['yes', file, `${file} was read too.`]);
  expect(await envFile()).toBe(`${file}; only its owner can read it`);
});

test('that others may read is read, and the doctor says how to close it', async () => {
  write(0o644);
  checkEnvFile();
  expect(process.env[name]).toBe('yes');
  await expect(envFile()).rejects.toMatchObject({
    detail: `${file} may be read by others (mode 0644), and holds secrets`,
    next: `chmod 600 ${file}`,
  });
});

test('that others may write is not read: they would say where secrets are sent', () => {
  write(0o646);
  expect([process.env[name], readEnvFile(), envFileNote()]).toEqual([undefined, undefined, undefined]);
  expect(checkEnvFile).toThrow(
    expect.objectContaining({
      code: 'env_file_open',
      message: `${file} may be written by others (mode 0646): chmod go-w ${file}`,
    }),
  );
});

test('that is not there is named, where something is missing', async () => {
  loadEnvFile(file);
  checkEnvFile();
  expect(envFileNote()).toContain(`There is no ${file}`);
  expect(await envFile()).toContain('none was read');
});
